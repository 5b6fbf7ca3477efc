"""The conductor: one text becomes segments, spoken one after another as one unbroken stream of samples."""

import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace

from gateway import text
from gateway.events import SpeechEvent
from gateway.models import Models
from gateway.request import SpeechRequest
from gateway.resume import Sealer
from gateway.script import START, Position, Script
from gateway.segment import AudioSource, SegmentChunk, SegmentFinished, SegmentStarted
from gateway.tally import Tally
from swara.speech import Priority

# Drawn seeds fit a JavaScript number, so that a browser can hand one back unchanged; given ones may have all 64 bits.
DRAWN_SEED_BITS = 53


@dataclass(frozen=True)
class Limits:
    """What the gateway lets one request ask for; `max_lead_seconds` is how far generation may run ahead of playback."""

    max_text_characters: int
    max_lead_seconds: float


class Pipeline:
    """Speaks requests through an audio source."""

    def __init__(self, source: AudioSource, models: Models, limits: Limits, sealer: Sealer) -> None:
        self._source = source
        self._models = models
        self._limits = limits
        self._sealer = sealer

    async def speak(self, request: SpeechRequest) -> AsyncGenerator[SpeechEvent, None]:
        """Yields Started, then Chunks, then Finished; closing it stops the segment that is being spoken at once.

        The next segment is ordered when the generation of the current one has ended: from then on until its samples
        have been played the listener holds what generation was ahead, and `text.segments` makes that long enough.
        """
        script, start = await self._script(request)
        tally, seal = Tally(request.arrival, start), None
        for index in range(start.segment, script.segments):
            order = script.order(index, start if index == start.segment else START)
            async with aclosing(self._source.speak(order)) as events:
                async for event in events:
                    match event:
                        case SegmentStarted():
                            if index == start.segment:
                                script = replace(script, fingerprint=event.fingerprint)
                                yield script.started(event)
                            seal = self._sealer.seal(script, index) if request.resumable else None
                        case SegmentChunk():
                            if chunk := tally.chunk(index, event):
                                yield replace(chunk, resume_token=seal.token(tally.position())) if seal else chunk
                        case SegmentFinished():
                            tally.segment(event)
        yield tally.finished(script.segments)

    async def _script(self, request: SpeechRequest) -> tuple[Script, Position]:
        if request.resume_token:
            return self._sealer.opened(request, self._limits.max_lead_seconds)
        request.checked(self._limits.max_text_characters)
        model = await self._models.find(request.model)
        script = Script(
            request=request,
            model=model.name,
            voice=model.voice(request.voice),
            seed=secrets.randbits(DRAWN_SEED_BITS) if request.seed is None else request.seed,
            texts=tuple(text.segments(request.text, model.max_text_characters)),
            max_lead_seconds=self._limits.max_lead_seconds if request.priority is Priority.INTERACTIVE else 0.0,
        )
        return script, START
