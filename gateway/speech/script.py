"""What is to be spoken, segment by segment, with everything resolved; and where in it a synthesis is."""

import secrets
from dataclasses import dataclass

from gateway.events import Started
from gateway.request import SpeechRequest
from gateway.speech.segment import SegmentOrder, SegmentStarted
from gateway.speech.texts import Texts
from swara.speech import AdmissionClass, segment_seed

SYNTHESIS_ID_BYTES = 16


@dataclass(frozen=True)
class Position:
    """After which sample a synthesis is.

    `next_sample` and `codes` (packed, all frames received so far) belong to the segment; `spoken_samples` and
    `spoken_frames` are those of the segments before it.
    """

    segment: int = 0
    next_sample: int = 0
    codes: bytes = b""
    spoken_samples: int = 0
    spoken_frames: int = 0


START = Position()


@dataclass(frozen=True)
class Script:
    """A request with everything resolved.

    `fingerprint` is the model's that the text was begun with; empty while it has not begun.
    """

    request: SpeechRequest
    model: str
    voice: str
    seed: int
    texts: Texts
    max_lead_seconds: float
    fingerprint: str = ""

    def started(self, first: SegmentStarted) -> Started:
        """What the listener is told, once the first segment has been taken."""
        return Started(
            request_id=self.request.request_id,
            synthesis_id=secrets.token_hex(SYNTHESIS_ID_BYTES),
            model=self.model,
            fingerprint=first.fingerprint,
            voice=first.voice or self.voice,
            seed=self.seed,
            sample_rate_hz=first.sample_rate_hz,
            writer=self.request.manuscript,
        )

    def order(self, segment: int, text: str, at: Position = START) -> SegmentOrder:
        """The order for one segment, from a position in it; only the first of a new text may be refused."""
        return SegmentOrder(
            request_id=self.request.request_id,
            segment=segment,
            text=text,
            voice=self.voice,
            sampling=self.request.sampling,
            seed=segment_seed(self.seed, segment),
            admission_class=_admission_class(segment, at),
            priority=self.request.priority,
            timeout_seconds=self.request.remaining_seconds,
            max_lead_seconds=self.max_lead_seconds,
            resume_codes=at.codes,
            first_sample=at.next_sample,
            fingerprint=self.fingerprint,
        )


def _admission_class(segment: int, at: Position) -> AdmissionClass:
    if at.codes:
        return AdmissionClass.RESUMED
    return AdmissionClass.CONTINUING if segment else AdmissionClass.NEW
