"""The conductor: one text becomes segments, spoken one after another as one unbroken stream of samples."""

import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

from gateway.events import SpeechEvent
from gateway.model import Model
from gateway.models import Models
from gateway.request import NothingToSay, SpeechRequest
from gateway.speech.ahead import Ahead
from gateway.speech.resume import Sealer
from gateway.speech.script import START, Position, Script
from gateway.speech.segment import SegmentChunk, SegmentFinished, SegmentStarted
from gateway.speech.tally import Tally
from gateway.speech.texts import Arriving, Repeatable, Texts, Written
from gateway.text import Reader, Segmenter, Style, segments
from swara.profile import Voice
from swara.speech import Priority

# Drawn seeds fit a JavaScript number, so that a browser can hand one back unchanged; given ones may have all 64 bits.
DRAWN_SEED_BITS = 53


@dataclass(frozen=True)
class Limits:
    """What the gateway lets one request ask for.

    `max_lead_seconds` is how far generation may run ahead of playback, `writer_pause_seconds` how long somebody who
    writes a text while it is spoken may write nothing.
    """

    max_text_characters: int
    max_lead_seconds: float
    writer_pause_seconds: float = 60.0


class Pipeline:
    """Speaks requests, each through the audio services of its model; `repeated` hears of a segment spoken once more."""

    def __init__(
        self, models: Models, limits: Limits, sealer: Sealer, style: Style, repeated: Callable[[], None] = lambda: None
    ) -> None:
        self._models = models
        self._limits = limits
        self._sealer = sealer
        self._style = style
        self._repeated = repeated

    async def speak(self, request: SpeechRequest) -> AsyncGenerator[SpeechEvent, None]:
        """Yields Started, then Chunks, then Finished; closing it stops the segment that is being spoken at once.

        The next segment is ordered when the generation of the current one has ended: from then on until its samples
        have been played the listener holds what generation was ahead, and the segmenter makes that long enough. Where
        that is too little, the next one begins before (`ahead.py`). While its text has not been written yet, nothing
        is ordered and no slot is held. A segment that ran away before anything of it was heard is spoken once more.
        """
        script, start = await self._script(request)
        texts = Repeatable(script.texts)
        script = replace(script, texts=texts)
        tally, seal, index = Tally(request.arrival, start), None, start.segment
        async with aclosing(Ahead(self._models.source(script.model), request.arrival)) as ahead:
            while (text := await texts.segment(index)) is not None:
                order = script.order(index, text, start if index == start.segment else START)
                async with aclosing(ahead.speak(order)) as events:
                    async for event in events:
                        match event:
                            case SegmentStarted():
                                tally.taken()
                                if index == start.segment:
                                    script = replace(script, fingerprint=event.fingerprint)
                                    yield script.started(event)
                                seal = self._sealer.seal(script, index) if request.resumable else None
                            case SegmentChunk():
                                if ahead.wanted and (following := texts.known(index + 1)) is not None:
                                    ahead.begin(script.order(index + 1, following))
                                if chunk := tally.chunk(index, event, text):
                                    yield replace(chunk, resume_token=seal.token(tally.position())) if seal else chunk
                            case SegmentFinished():
                                tally.segment(event)
                                if tally.said_nothing and not texts.repeats(index):
                                    # As another segment it has another seed.
                                    texts.repeat(index)
                                    self._repeated()
                index += 1
        if index == 0:
            raise NothingToSay
        yield tally.finished(index)

    async def _script(self, request: SpeechRequest) -> tuple[Script, Position]:
        if request.resume_token:
            return self._sealer.opened(request, self._limits.max_lead_seconds)
        request.checked(self._limits.max_text_characters)
        model = await self._models.find(request.model)
        voice = model.voice(request.voice)
        script = Script(
            request=request,
            model=model.name,
            voice=voice.name,
            seed=secrets.randbits(DRAWN_SEED_BITS) if request.seed is None else request.seed,
            texts=self._texts(request, model, voice),
            max_lead_seconds=self._limits.max_lead_seconds if request.priority is Priority.INTERACTIVE else 0.0,
        )
        return script, START

    def _texts(self, request: SpeechRequest, model: Model, voice: Voice) -> Texts:
        reader = _reader(self._style, model, voice)
        if request.manuscript is not None:
            return Arriving(request.manuscript, Segmenter(model.max_text_characters, read=reader.read))
        return Written(segments(request.text, model.max_text_characters, reader.read))


def prepare(style: Style, model: Model) -> None:
    """Makes a reader for each voice once: what the first one loads takes 0.2 s, and no listener should wait for it."""
    for voice in model.voices:
        _reader(style, model, voice)


def _reader(style: Style, model: Model, voice: Voice) -> Reader:
    return Reader(style, voice.language, voice.scripts, model.emotion_tags)
