"""One stream's frames in and samples out: what may be decoded when, and which of the samples the listener still needs.

No clock, no I/O, no tensors: the caller says what time it is, on any one clock.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from audio_service.hops import bearable_frames, largest_hop, wanted_frames
from swara.errors import InvalidRequest
from swara.frames import FRAME_SECONDS, SAMPLE_RATE_HZ, SAMPLES_PER_FRAME, SLOTS, Codes, no_codes
from swara.pcm import Samples, from_float
from swara.player import START_HELD_SECONDS

START_HELD_SAMPLES = int(START_HELD_SECONDS * SAMPLE_RATE_HZ)
NO_END = 2**40  # the length in frames of an utterance that is still growing; its samples still fit into 63 bits


class Noise(Enum):
    """What the codec's noise blocks add: noise keyed by the seed, or none."""

    SEEDED = 1.0
    OFF = 0.0


class Mode(Enum):
    """How much lookahead a sample waits for; modes.py tells what each costs."""

    EXACT = "exact"
    EARLY = "early"
    REPORT = "report"


@dataclass(frozen=True)
class Voicing:
    """How one stream's codes become PCM, and the sample from which on it is wanted."""

    seed: int
    noise: Noise = Noise.SEEDED
    first_sample: int = 0
    mode: Mode = Mode.EXACT


@dataclass(frozen=True)
class Delays:
    """What a decoder needs around a sample: frames up to `reach` samples after it, and a start `warm_up` before it."""

    reach_samples: int
    warm_up_samples: int

    @property
    def flush_frames(self) -> int:
        """Empty frames after the last one that bring its last sample out."""
        return -(-self.reach_samples // SAMPLES_PER_FRAME)


@dataclass(frozen=True)
class Taken:
    """Frames [F, 7] to be decoded now; `end_frame` is the utterance's length or NO_END."""

    codes: Codes
    first_frame: int
    end_frame: int


@dataclass(frozen=True)
class Piece:
    """PCM that is final, and where in the segment it begins."""

    first_sample: int
    samples: Samples


class Stream:
    """The progress of one stream through the decoder: every frame once, every sample as soon as it is final."""

    def __init__(self, voicing: Voicing, delays: Delays) -> None:
        self.voicing = voicing
        self._delays = delays
        self._codes = no_codes()
        self._start_frame = max(0, (voicing.first_sample - delays.warm_up_samples) // SAMPLES_PER_FRAME)
        self._next_frame = self._start_frame  # the next to be decoded
        self._given_frame = self._start_frame  # decoded up to here
        self._fed_frames: int | None = None
        self._ended = False
        self._next_sample = voicing.first_sample  # the next to be given out
        self._dry_seconds = -np.inf

    @property
    def start_frame(self) -> int:
        """The frame at which the decoder begins, with an empty past."""
        return self._start_frame

    @property
    def samples(self) -> int:
        """Samples of the utterance in all, as far as its frames are known."""
        return (self._fed_frames or 0) * SAMPLES_PER_FRAME

    @property
    def done(self) -> bool:
        """Whether every sample has come out."""
        return self._ended and self._given_frame >= self._last_frame

    @property
    def waiting_frames(self) -> int:
        """Frames that could be decoded now, those that flush the end included."""
        return max(0, self._last_frame - self._next_frame) if self._ended else len(self._codes)

    @property
    def next_frame(self) -> int:
        """The next frame to be decoded."""
        return self._next_frame

    @property
    def heard(self) -> bool:
        """Whether any sample has come out."""
        return self._dry_seconds > -np.inf

    @property
    def playing(self) -> bool:
        """Whether the listener has been given what a player holds before it begins, so that a late sample is a gap."""
        return self._next_sample - self.voicing.first_sample >= START_HELD_SAMPLES

    @property
    def _last_frame(self) -> int:
        return (self._fed_frames or 0) + self._delays.flush_frames if self._fed_frames else 0

    def feed(self, first_frame: int, codes: Codes) -> None:
        """Takes the next frames [F, 7]; raises InvalidRequest if they do not follow the ones before."""
        if self._fed_frames is None:
            self._check_start(first_frame)
            self._fed_frames = first_frame
        if first_frame != self._fed_frames:
            raise InvalidRequest(f"frames must follow each other: expected frame {self._fed_frames}, got {first_frame}")
        self._fed_frames += len(codes)
        needed = codes[max(0, self._start_frame - first_frame) :]
        self._codes = np.concatenate([self._codes, needed])

    def end(self) -> None:
        """No more frames will come."""
        self._ended = True

    def dry_seconds(self) -> float:
        """When the listener will have played everything; before the first sample, never known to be: minus infinity."""
        return self._dry_seconds

    def promised_seconds(self, now_seconds: float) -> float:
        """How much the listener would hold if every frame that has come were decoded by now."""
        undecoded_frames = 0 if self._fed_frames is None else self._fed_frames - self._given_frame
        return max(0.0, self._dry_seconds - now_seconds) + undecoded_frames * FRAME_SECONDS

    def play_on(self, now_seconds: float, samples: int) -> None:
        """The listener, who has taken nothing for a while, takes this many samples now and plays them."""
        if self.heard:
            self._dry_seconds = max(self._dry_seconds, now_seconds + samples / SAMPLE_RATE_HZ)

    def hop(self, now_seconds: float) -> int:
        """How many frames the next step should take; 0 if it is too early for one."""
        slack_seconds = self.dry_seconds() - now_seconds
        if self.waiting_frames < wanted_frames(slack_seconds) and not self._ended:
            return 0
        return largest_hop(min(self.waiting_frames, bearable_frames(slack_seconds)))

    def take(self, hop: int) -> Taken:
        """The next frames, filled up with empty ones after the end."""
        codes = filled(self._codes[:hop], hop)
        self._codes = self._codes[hop:]
        first_frame, self._next_frame = self._next_frame, self._next_frame + hop
        return Taken(codes, first_frame, (self._fed_frames or 0) if self._ended else NO_END)

    def give(self, taken: Taken, audio: NDArray[np.float32], now_seconds: float) -> Piece:
        """What the listener gets of a step's audio [F * 2048]: neither what came before nor what follows the end."""
        at = taken.first_frame * SAMPLES_PER_FRAME - self._delays.reach_samples
        end = min(at + len(audio), taken.end_frame * SAMPLES_PER_FRAME)
        first = self._next_sample
        samples = from_float(audio[max(0, first - at) : max(0, end - at)])
        self._next_sample += len(samples)
        self._given_frame = taken.first_frame + len(taken.codes)
        if len(samples):
            # A player that ran dry has waited and goes on from here: the gap is over.
            self._dry_seconds = max(self._dry_seconds, now_seconds) + len(samples) / SAMPLE_RATE_HZ
        return Piece(first, samples)

    def _check_start(self, first_frame: int) -> None:
        earliest = first_frame * SAMPLES_PER_FRAME + self._delays.warm_up_samples
        if first_frame > 0 and self.voicing.first_sample < earliest:
            raise InvalidRequest(
                f"frames from {first_frame} on give PCM from sample {earliest} on; ask for that or later"
            )


def filled(codes: Codes, frames: int) -> Codes:
    """Codes [F, 7] with empty frames after them: [frames, 7]."""
    whole = np.zeros((frames, SLOTS), np.uint16)
    whole[: len(codes)] = codes
    return whole
