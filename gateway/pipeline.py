"""The conductor: one text becomes segments, spoken one after another as one unbroken stream of samples."""

import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from gateway import text
from gateway.events import SpeechEvent, Started
from gateway.models import Model, Models
from gateway.request import SpeechRequest
from gateway.segment import AudioSource, SegmentChunk, SegmentFinished, SegmentOrder, SegmentStarted
from gateway.tally import Tally
from swara.speech import AdmissionClass, Priority, segment_seed

# Drawn seeds fit a JavaScript number, so that a browser can hand one back unchanged; given ones may have all 64 bits.
DRAWN_SEED_BITS = 53
SYNTHESIS_ID_BYTES = 16


@dataclass(frozen=True)
class Limits:
    """What the gateway lets one request ask for; `max_lead_seconds` is how far generation may run ahead of playback."""

    max_text_characters: int
    max_lead_seconds: float


class Pipeline:
    """Speaks requests through an audio source."""

    def __init__(self, source: AudioSource, models: Models, limits: Limits) -> None:
        self._source = source
        self._models = models
        self._limits = limits

    async def speak(self, request: SpeechRequest) -> AsyncGenerator[SpeechEvent, None]:
        """Yields Started, then Chunks, then Finished; closing it stops the segment that is being spoken at once.

        The next segment is ordered when the generation of the current one has ended: from then on until its samples
        have been played the listener holds what generation was ahead, and `text.segments` makes that long enough.
        """
        script = await self._script(request)
        tally = Tally(request.arrival)
        for index in range(len(script.texts)):
            async with aclosing(self._source.speak(script.order(index))) as events:
                async for event in events:
                    match event:
                        case SegmentStarted() if index == 0:
                            yield script.started(event)
                        case SegmentChunk():
                            if chunk := tally.chunk(index, event):
                                yield chunk
                        case SegmentFinished():
                            tally.segment(event)
        yield tally.finished(len(script.texts))

    async def _script(self, request: SpeechRequest) -> "Script":
        request.checked(self._limits.max_text_characters)
        model = await self._models.find(request.model)
        return Script(
            request=request,
            model=model,
            voice=model.voice(request.voice),
            seed=secrets.randbits(DRAWN_SEED_BITS) if request.seed is None else request.seed,
            texts=text.segments(request.text, model.max_text_characters),
            max_lead_seconds=self._limits.max_lead_seconds if request.priority is Priority.INTERACTIVE else 0.0,
        )


@dataclass(frozen=True)
class Script:
    """A request with everything resolved: what is spoken, segment by segment."""

    request: SpeechRequest
    model: Model
    voice: str
    seed: int
    texts: list[str]
    max_lead_seconds: float

    def started(self, first: SegmentStarted) -> Started:
        """What the listener is told, once the first segment has been taken."""
        return Started(
            request_id=self.request.request_id,
            synthesis_id=secrets.token_hex(SYNTHESIS_ID_BYTES),
            model=self.model.name,
            fingerprint=first.fingerprint,
            voice=first.voice or self.voice,
            seed=self.seed,
            sample_rate_hz=first.sample_rate_hz,
        )

    def order(self, segment: int) -> SegmentOrder:
        """The order for one segment; only the first may be refused by a full service."""
        return SegmentOrder(
            request_id=self.request.request_id,
            segment=segment,
            text=self.texts[segment],
            voice=self.voice,
            sampling=self.request.sampling,
            seed=segment_seed(self.seed, segment),
            admission_class=AdmissionClass.CONTINUING if segment else AdmissionClass.NEW,
            priority=self.request.priority,
            timeout_seconds=self.request.remaining_seconds,
            max_lead_seconds=self.max_lead_seconds,
        )
