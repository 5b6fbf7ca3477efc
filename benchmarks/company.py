"""Streams in company: they join, leave and resume in a running batch of the CUDA decoder, and keep their own sound."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audio_service.codec import Codec
from audio_service.fused.decoder import FusedDecoder
from audio_service.fused.rows import FusedRows
from audio_service.hops import HOPS_FRAMES, largest_hop
from audio_service.rows import Work
from audio_service.stream import Delays, Stream, Voicing
from benchmarks.whole import whole_decode
from swara.frames import SAMPLES_PER_FRAME, SLOTS, Codes

SPEAKERS = 14
SEATS = 5
STEP_FRAMES = 16
MOST_FRAMES = 24


@dataclass(frozen=True)
class Speaker:
    """One stream to be: codes [F, 7], the first sample that is wanted, and what it should sound like [F * 2048]."""

    seed: int
    codes: Codes
    first_sample: int
    reference: NDArray[np.float64]


def random_speakers(codec: Codec, reference: Any) -> list[Speaker]:
    """Speakers of random lengths, every third of them one that resumes; `reference` are modules that decode wholes."""
    random = np.random.default_rng(1)
    speakers = []
    for seed in range(SPEAKERS):
        frames = int(random.integers(1, MOST_FRAMES))
        codes = random.integers(0, codec.codebook_size, (frames, SLOTS)).astype(np.uint16)
        first_sample = 0 if seed % 3 else int(random.integers(0, frames * SAMPLES_PER_FRAME))
        speakers.append(Speaker(seed, codes, first_sample, whole_decode(reference, codes, seed)))
    return speakers


class Seated:
    """A speaker in one row of the batch."""

    def __init__(self, speaker: Speaker, row: int, decoder: FusedDecoder) -> None:
        self.speaker, self.row, self._fresh = speaker, row, True
        self._reach = decoder.reach_samples
        delays = Delays(decoder.reach_samples, decoder.warm_up_samples)
        first = max(0, (speaker.first_sample - delays.warm_up_samples) // SAMPLES_PER_FRAME)
        self.stream = Stream(Voicing(speaker.seed, first_sample=speaker.first_sample), delays)
        self.stream.feed(first, speaker.codes[first:])
        self.stream.end()

    def work(self, rows: FusedRows, hop: int) -> Work:
        """Its part of the next step."""
        fresh, self._fresh = self._fresh, False
        return Work(self.row, fresh, rows.keys(self.stream.voicing), 1.0, self.stream.take(hop))

    def error(self, work: Work, audio: NDArray[np.float32]) -> float:
        """Takes a step's audio: the largest error of the samples that are wanted; infinity for no number."""
        at = work.taken.first_frame * SAMPLES_PER_FRAME - self._reach
        reference = self.speaker.reference
        low, high = max(self.speaker.first_sample, at), min(at + len(audio), len(reference))
        self.stream.give(work.taken, audio, 0.0)
        if high <= low:
            return 0.0
        errors = np.abs(audio[low - at : high - at] - reference[low:high])
        return float(errors.max()) if np.isfinite(errors).all() else float("inf")


def worst_error(decoder: FusedDecoder, speakers: list[Speaker]) -> float:
    """The largest error while all of them speak, a few at a time, in steps of random companies and lengths."""
    rows, random = FusedRows(decoder, SEATS, STEP_FRAMES), np.random.default_rng(2)
    rows.warm_up()
    waiting, seated, free, worst = list(speakers), list[Seated](), list(range(SEATS)), 0.0
    while waiting or seated:
        while waiting and free and random.random() < 0.7:
            seated.append(Seated(waiting.pop(0), free.pop(), decoder))
        members = [member for member in seated if random.random() < 0.7]
        if not members:
            continue
        hop = largest_hop(min(int(random.choice(HOPS_FRAMES)), *(m.stream.waiting_frames for m in members), 8))
        members = members[: STEP_FRAMES // hop]
        works = [member.work(rows, hop) for member in members]
        for member, work, audio in zip(members, works, rows.run(works), strict=True):
            worst = max(worst, member.error(work, audio))
        free += [member.row for member in seated if member.stream.done]
        seated = [member for member in seated if not member.stream.done]
    return worst
