"""Law 1: however the frames arrive, the PCM is the same."""

import copy
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from audio_service.codec import Codec
from audio_service.decoder import Decoder
from audio_service.hops import HOPS_FRAMES, largest_hop
from audio_service.rows import Rows, Work
from audio_service.stream import Noise, Piece, Stream, Voicing
from benchmarks.whole import random_codec
from swara.frames import SAMPLES_PER_FRAME, Codes
from swara.pcm import Samples, from_float
from tests.audio_service.codecs import CODECS, delays, random_codes, whole_decode

FLOAT_ERROR = 1e-5
QUICK = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
HOPS = st.sampled_from(HOPS_FRAMES)


class Run:
    """One stream by hand: steps of any size, floats and PCM kept."""

    def __init__(
        self, decoder: Decoder, rows: Rows, row: int, voicing: Voicing, codes: Codes, first_frame: int
    ) -> None:
        self.stream = Stream(voicing, delays(decoder))
        self.stream.feed(first_frame, codes)
        self.stream.end()
        self._row, self._keys, self._fresh = row, rows.keys(voicing), True
        self._reach = decoder.reach_samples
        self.audio: dict[int, NDArray[np.float32]] = {}
        self.pieces: list[Piece] = []

    def work(self, hop: int) -> Work:
        fresh, self._fresh = self._fresh, False
        return Work(self._row, fresh, self._keys, self.stream.voicing.noise.value, self.stream.take(hop))

    def give(self, work: Work, audio: NDArray[np.float32]) -> None:
        self.audio[work.taken.first_frame * SAMPLES_PER_FRAME - self._reach] = audio
        self.pieces.append(self.stream.give(work.taken, audio, 0.0))

    def pcm(self) -> Samples:
        return np.concatenate([piece.samples for piece in self.pieces])

    def worst_error(self, reference: NDArray[np.float32]) -> float:
        """Largest error of the floats behind the PCM."""
        first, worst = self.stream.voicing.first_sample, 0.0
        for at, audio in self.audio.items():
            low, high = max(first, at), min(at + len(audio), len(reference))
            if high > low:
                worst = max(worst, float(np.abs(audio[low - at : high - at] - reference[low:high]).max()))
        return worst


def finish(rows: Rows, run: Run, hops: list[int]) -> None:
    """Steps of these sizes, then of the largest, to the end."""
    for hop in [*hops, *[8] * 99]:
        if run.stream.done:
            return
        work = run.work(largest_hop(min(hop, run.stream.waiting_frames)))
        run.give(work, rows.run([work])[0])


def same(run: Run, reference: NDArray[np.float32]) -> None:
    expected = from_float(reference[run.stream.voicing.first_sample :])
    pcm = run.pcm()
    assert len(pcm) == len(expected)
    assert run.worst_error(reference) < FLOAT_ERROR
    assert np.abs(pcm.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("name", CODECS)
def test_any_chunking_equals_the_whole_decode(
    name: str, codecs: dict[str, Codec], decoders: dict[str, Decoder]
) -> None:
    codec, decoder = codecs[name], decoders[name]
    rows = Rows(decoder, 1)

    @QUICK
    @given(st.integers(1, 14), st.lists(HOPS, max_size=12), st.integers(0, 2**64 - 1), st.sampled_from(Noise))
    def check(frames: int, hops: list[int], seed: int, noise: Noise) -> None:
        codes, voicing = random_codes(frames, codec.codebook_size, seed), Voicing(seed, noise)
        run = Run(decoder, rows, 0, voicing, codes, 0)
        finish(rows, run, hops)
        same(run, whole_decode(codec, codes, voicing))

    check()


@pytest.mark.parametrize("name", CODECS)
def test_streams_that_join_and_leave_a_batch_do_not_change_each_other(
    name: str, codecs: dict[str, Codec], decoders: dict[str, Decoder]
) -> None:
    codec, decoder = codecs[name], decoders[name]
    rows = Rows(decoder, 3)

    @cache
    def expected(frames: int, k: int) -> NDArray[np.float32]:
        return whole_decode(codec, random_codes(frames, codec.codebook_size, k), Voicing(k))

    @QUICK
    @given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 5)), min_size=2, max_size=5), HOPS)
    def check(plan: list[tuple[int, int]], hop: int) -> None:
        """Streams of so many frames join after so many steps, as rows become free."""
        voicings = [Voicing(seed) for seed in range(len(plan))]
        codes = [random_codes(frames, codec.codebook_size, k) for k, (frames, _) in enumerate(plan)]
        waiting, free, running, over = list(range(len(plan))), [0, 1, 2], dict[int, tuple[int, Run]](), dict[int, Run]()
        for step in range(99):
            for k in [k for k in waiting if plan[k][1] <= step][: len(free)]:
                row = free.pop()
                running[k] = (row, Run(decoder, rows, row, voicings[k], codes[k], 0))
                waiting.remove(k)
            works = {k: run.work(hop) for k, (_, run) in running.items()}
            if works:
                for (k, work), audio in zip(works.items(), rows.run(list(works.values())), strict=True):
                    running[k][1].give(work, audio)
            for k in [k for k, (_, run) in running.items() if run.stream.done]:
                row, over[k] = running.pop(k)
                free.append(row)
        assert len(over) == len(plan)
        for k, run in over.items():
            same(run, expected(len(codes[k]), k))

    check()


@pytest.mark.parametrize("name", CODECS)
def test_a_restart_from_frames_goes_on_without_a_seam(
    name: str, codecs: dict[str, Codec], decoders: dict[str, Decoder]
) -> None:
    codec, decoder = codecs[name], decoders[name]
    codes = random_codes(12, codec.codebook_size)
    rows, reference = Rows(decoder, 1), whole_decode(codec, codes, Voicing(5))

    @QUICK
    @given(st.integers(0, 12 * SAMPLES_PER_FRAME), st.lists(HOPS, max_size=12))
    def check(first_sample: int, hops: list[int]) -> None:
        latest_frame = max(0, (first_sample - decoder.warm_up_samples) // SAMPLES_PER_FRAME)
        for first_frame in {0, latest_frame}:
            run = Run(decoder, rows, 0, Voicing(5, first_sample=first_sample), codes[first_frame:], first_frame)
            finish(rows, run, hops)
            if first_sample < len(reference):
                same(run, reference)
            else:
                assert len(run.pcm()) == 0

    check()


@pytest.mark.parametrize("changes", [{"depthwise": False}, {"noise": False}, {"decoder_rates": [8, 4, 4, 4]}])
def test_other_shapes_with_frames_of_the_same_length_are_exact_too(changes: dict[str, object]) -> None:
    codec = random_codec(encoder_dim=8, decoder_dim=128, **changes)
    decoder = Decoder(codec, torch.device("cpu"))
    rows, codes, voicing = Rows(decoder, 1), random_codes(7, codec.codebook_size), Voicing(1)
    run = Run(decoder, rows, 0, voicing, codes, 0)
    finish(rows, run, [1, 2, 1])
    same(run, whole_decode(codec, codes, voicing))


def test_every_sample_comes_out_as_soon_as_it_is_final(decoder: Decoder) -> None:
    rows = Rows(decoder, 1)
    run = Run(decoder, rows, 0, Voicing(0), random_codes(9, decoder.codebook_size), 0)
    for frames in range(1, 8):
        work = run.work(1)
        run.give(work, rows.run([work])[0])
        assert len(run.pcm()) == max(0, frames * SAMPLES_PER_FRAME - decoder.reach_samples)


def test_the_lookahead_is_what_the_codec_needs_and_no_more(codec: Codec, decoder: Decoder) -> None:
    assert decoder.reach_samples == decoder.warm_up_samples == 4757
    codec64 = Codec(copy.deepcopy(codec.modules).double(), "", 24_000, codec.codebook_size)
    codes, voicing = random_codes(12, codec.codebook_size), Voicing(0, Noise.OFF)
    changed = codes.copy()
    changed[6] = (changed[6] + 1) % codec.codebook_size
    differs = np.flatnonzero(whole_decode(codec64, codes, voicing) != whole_decode(codec64, changed, voicing))
    assert 6 * SAMPLES_PER_FRAME - differs[0] == decoder.reach_samples
    assert differs[-1] + 1 - 7 * SAMPLES_PER_FRAME == decoder.warm_up_samples
