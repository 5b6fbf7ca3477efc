"""The decode modes: what each sends when, over one and the same decoder.

`exact` (the default) is `Stream` itself: a sample leaves as soon as no later frame can change it. The other two begin
again from the stream's first frame when they have more frames: a step that takes that frame finds an empty past.

| mode   | first PCM after | differs from the whole decode in | work                                            |
| ------ | --------------- | -------------------------------- | ----------------------------------------------- |
| exact  | 3 frames        | rounding                         | each frame once                                 |
| early  | 2 frames        | the first frame's samples        | each frame once, and one step of 4 frames more  |
| report | 6 frames        | rounding                         | every frame again for each chunk: for comparison |

In each of them the PCM is a function of codes and seed, however the frames arrive.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audio_service.hops import HOPS_FRAMES, largest_hop
from audio_service.stream import Delays, Mode, Piece, Stream, Taken, Voicing, filled
from swara.errors import InvalidRequest
from swara.frames import SAMPLES_PER_FRAME, Codes

EARLY_CHUNK_FRAMES, EARLY_LOOKAHEAD_FRAMES = 1, 1
REPORT_LOOKAHEAD_FRAMES = 5
# New frames that are worth decoding everything again; the report names no number.
REPORT_CHUNK_FRAMES = 4
# The work grows with the square of the length, and others wait for the decoder meanwhile: 60 s of audio.
REPORT_MAX_FRAMES = 703


def new_stream(voicing: Voicing, delays: Delays) -> Stream:
    """A stream of the voicing's mode."""
    return {Mode.EXACT: Stream, Mode.EARLY: EarlyStream, Mode.REPORT: ReportStream}[voicing.mode](voicing, delays)


class EarlyStream(Stream):
    """Exact, but for its first chunk: that is one frame, sent as if the utterance ended after one frame more."""

    def __init__(self, voicing: Voicing, delays: Delays) -> None:
        super().__init__(voicing, delays)
        chunk_samples = EARLY_CHUNK_FRAMES * SAMPLES_PER_FRAME
        # Somebody who resumes after the first chunk has heard it.
        self._owed = voicing.first_sample < chunk_samples
        # The smallest step that brings the chunk's last sample out.
        self._hop = min(h for h in HOPS_FRAMES if h * SAMPLES_PER_FRAME >= chunk_samples + delays.reach_samples)

    @property
    def waiting_frames(self) -> int:
        """Frames that could be decoded now; none while the first chunk waits for its lookahead."""
        if not self._owes_chunk:
            return super().waiting_frames
        return self._hop if self._has_lookahead else 0

    def hop(self, now_seconds: float) -> int:
        """How many frames the next step should take."""
        return self.waiting_frames if self._owes_chunk else super().hop(now_seconds)

    def take(self, hop: int) -> Taken:
        """The next frames; for the first chunk they stay here, to be decoded again."""
        if not self._owes_chunk:
            return super().take(hop)
        end_frame = EARLY_CHUNK_FRAMES + EARLY_LOOKAHEAD_FRAMES
        return Taken(filled(self._codes[:end_frame], hop), self._start_frame, end_frame)

    def give(self, taken: Taken, audio: NDArray[np.float32], now_seconds: float) -> Piece:
        """What the listener gets of a step's audio [F * 2048]."""
        if not self._owes_chunk:
            return super().give(taken, audio, now_seconds)
        self._owed = False
        piece = super().give(replace(taken, end_frame=EARLY_CHUNK_FRAMES), audio, now_seconds)
        self._given_frame = self._start_frame
        return piece

    @property
    def _owes_chunk(self) -> bool:
        # An utterance that ends before its lookahead has come is exact at once.
        return self._owed and (self._has_lookahead or not self._ended)

    @property
    def _has_lookahead(self) -> bool:
        return len(self._codes) >= EARLY_CHUNK_FRAMES + EARLY_LOOKAHEAD_FRAMES


class ReportStream(Stream):
    """Passes over the whole utterance so far: each gives the samples five frames before its end, the last one all."""

    def __init__(self, voicing: Voicing, delays: Delays) -> None:
        super().__init__(voicing, delays)
        self._pass_frames: int | None = None  # the utterance's length as the running pass sees it
        self._pass_is_last = False
        self._covered_frames = 0  # what the last pass saw
        self._all_given = False

    @property
    def done(self) -> bool:
        """Whether every sample has come out."""
        return self._ended and (self._all_given or self._start_frame >= self._last_frame)

    @property
    def waiting_frames(self) -> int:
        """Frames that the running pass has still to take, or the next one if it can begin."""
        if self._pass_frames is not None:
            return self._pass_frames + self._delays.flush_frames - self._next_frame
        return self._last_frame - self._start_frame if self._can_pass else 0

    def feed(self, first_frame: int, codes: Codes) -> None:
        """Takes the next frames [F, 7]; raises InvalidRequest for more than a comparison needs."""
        if first_frame + len(codes) > REPORT_MAX_FRAMES:
            raise InvalidRequest(f"decode mode report is for comparison and takes {REPORT_MAX_FRAMES} frames at most")
        super().feed(first_frame, codes)

    def hop(self, now_seconds: float) -> int:
        """How many frames the next step should take: the most there are."""
        return largest_hop(self.waiting_frames)

    def take(self, hop: int) -> Taken:
        """The next frames of the running pass, or the first of a new one."""
        if self._pass_frames is None:
            self._pass_frames, self._pass_is_last = self._fed_frames or 0, self._ended
            self._next_frame = self._start_frame
        at = self._next_frame - self._start_frame
        codes = self._codes[at : min(at + hop, self._pass_frames - self._start_frame)]
        first_frame, self._next_frame = self._next_frame, self._next_frame + hop
        return Taken(filled(codes, hop), first_frame, self._pass_frames)

    def give(self, taken: Taken, audio: NDArray[np.float32], now_seconds: float) -> Piece:
        """What the listener gets of a step's audio [F * 2048]."""
        end_frame = taken.end_frame - (0 if self._pass_is_last else REPORT_LOOKAHEAD_FRAMES)
        piece = super().give(replace(taken, end_frame=end_frame), audio, now_seconds)
        if self._given_frame >= taken.end_frame + self._delays.flush_frames:
            self._pass_frames, self._covered_frames, self._all_given = None, taken.end_frame, self._pass_is_last
        return piece

    @property
    def _can_pass(self) -> bool:
        if self._ended:
            return not self.done
        first = self._start_frame + REPORT_LOOKAHEAD_FRAMES + 1
        following = self._covered_frames + REPORT_CHUNK_FRAMES
        return (self._fed_frames or 0) >= (following if self._covered_frames else first)
