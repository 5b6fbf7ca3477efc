"""The decode modes: what each sends when, and that none repeats or loses a sample."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audio_service.codec import Codec
from audio_service.decoder import Decoder
from audio_service.modes import REPORT_CHUNK_FRAMES, REPORT_MAX_FRAMES, new_stream
from audio_service.rows import Rows, Work
from audio_service.stream import Mode, Stream, Voicing
from swara.errors import InvalidRequest
from swara.frames import FRAME_SECONDS, SAMPLES_PER_FRAME, Codes
from swara.pcm import Samples, from_float
from tests.audio_service.codecs import delays, random_codes, whole_decode

SEED = 3
QUICK = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
MODES = st.sampled_from(Mode)


class Listening:
    """One stream of a mode, fed by hand and stepped whenever it wants to be."""

    def __init__(self, decoder: Decoder, mode: Mode, first_sample: int = 0) -> None:
        self.stream: Stream = new_stream(Voicing(SEED, first_sample=first_sample, mode=mode), delays(decoder))
        self._rows = Rows(decoder, 1)
        self.pcm = np.empty(0, np.int16)
        self.frames_decoded = 0

    def run(self, now_seconds: float) -> None:
        voicing = self.stream.voicing
        while hop := self.stream.hop(now_seconds):
            taken = self.stream.take(hop)
            fresh = taken.first_frame == self.stream.start_frame
            audio = self._rows.run([Work(0, fresh, self._rows.keys(voicing), voicing.noise.value, taken)])[0]
            piece = self.stream.give(taken, audio, now_seconds)
            assert piece.first_sample == voicing.first_sample + len(self.pcm)
            self.pcm = np.concatenate([self.pcm, piece.samples])
            self.frames_decoded += hop

    def hear(self, codes: Codes, blocks: list[int], first_frame: int = 0) -> Samples:
        """All the PCM of codes [F, 7] that come in blocks of these sizes, the rest at once."""
        at = 0
        for size in [*blocks, len(codes)]:
            if at < len(codes):
                self.stream.feed(first_frame + at, codes[at : at + size])
                at += size
                self.run(at * FRAME_SECONDS / 2)
        self.stream.end()
        self.run(at * FRAME_SECONDS / 2)
        assert self.stream.done
        return self.pcm


def expected(codec: Codec, codes: Codes, mode: Mode) -> Samples:
    """What a mode promises: the whole decode, but for early's first frame."""
    pcm = from_float(whole_decode(codec, codes, Voicing(SEED)))
    if mode is Mode.EARLY:
        pcm[:SAMPLES_PER_FRAME] = from_float(whole_decode(codec, codes[:2], Voicing(SEED)))[:SAMPLES_PER_FRAME]
    return pcm


def same(pcm: Samples, reference: Samples) -> bool:
    return len(pcm) == len(reference) and bool((np.abs(pcm.astype(int) - reference) <= 1).all())


def test_a_mode_gives_the_same_pcm_however_the_frames_arrive(codec: Codec, decoder: Decoder) -> None:
    @QUICK
    @given(MODES, st.integers(1, 14), st.lists(st.integers(1, 4), max_size=10))
    def check(mode: Mode, frames: int, blocks: list[int]) -> None:
        codes = random_codes(frames, codec.codebook_size, frames)
        assert same(Listening(decoder, mode).hear(codes, blocks), expected(codec, codes, mode))

    check()


def test_a_mode_goes_on_from_any_sample(codec: Codec, decoder: Decoder) -> None:
    codes = random_codes(12, codec.codebook_size)

    @QUICK
    @given(MODES, st.integers(0, 12 * SAMPLES_PER_FRAME))
    def check(mode: Mode, first_sample: int) -> None:
        pcm = Listening(decoder, mode, first_sample).hear(codes, [1] * 12)
        assert same(pcm, expected(codec, codes, mode)[first_sample:])

    check()


@pytest.mark.parametrize(("mode", "frames"), [(Mode.EARLY, 2), (Mode.EXACT, 3), (Mode.REPORT, 6)])
def test_the_first_pcm_comes_with_the_lookahead_of_its_mode(
    mode: Mode, frames: int, codec: Codec, decoder: Decoder
) -> None:
    codes, listening = random_codes(8, codec.codebook_size), Listening(decoder, mode)
    heard = []
    for frame in range(8):
        listening.stream.feed(frame, codes[frame : frame + 1])
        listening.run(0.0)
        heard.append(len(listening.pcm) > 0)
    assert heard.index(True) + 1 == frames


def test_early_costs_one_step_more_and_report_every_frame_again(codec: Codec, decoder: Decoder) -> None:
    frames, decoded = 12, {}
    codes = random_codes(frames, codec.codebook_size)
    for mode in Mode:
        listening = Listening(decoder, mode)
        listening.hear(codes, [1] * frames)
        decoded[mode] = listening.frames_decoded
    flush = delays(decoder).flush_frames
    assert decoded[Mode.EXACT] <= frames + flush + 1
    assert decoded[Mode.EARLY] <= decoded[Mode.EXACT] + 4
    assert decoded[Mode.REPORT] >= sum(n + flush for n in range(6, frames, REPORT_CHUNK_FRAMES))


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("first_sample", [0, 5_000, 100_000])
def test_an_utterance_without_frames_ends_in_every_mode(mode: Mode, first_sample: int, decoder: Decoder) -> None:
    listening = Listening(decoder, mode, first_sample)
    listening.stream.end()
    assert listening.stream.done
    assert listening.stream.hop(0.0) == 0


def test_report_takes_no_more_than_a_comparison_needs(decoder: Decoder) -> None:
    stream = Listening(decoder, Mode.REPORT).stream
    stream.feed(0, random_codes(REPORT_MAX_FRAMES, 8))
    with pytest.raises(InvalidRequest, match="703 frames at most"):
        stream.feed(REPORT_MAX_FRAMES, random_codes(1, 8))
