"""An engine of frames made from one of tokens: admission, checks, framing, and the measure of how many streams fit."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress

from swara.capacity import Capacity
from swara.errors import Broken, Full, SetupError, SwaraError, Unavailable
from swara.frames import Codes
from swara.speech import AdmissionClass
from token_service.engines.base import Ended, EngineLoad, EngineSetup, GenerationRequest
from token_service.engines.limits import Limits
from token_service.engines.token_source import TokenSource
from token_service.engines.token_stream import TokenStream
from token_service.engines.trial import Trial
from token_service.framer import Framer
from token_service.grammar import SlotGrammar

log = logging.getLogger(__name__)

# A token takes milliseconds; a stream that has spoken and gets none for half a minute will never get one.
HUNG_SECONDS = 30.0
OBSERVE_SECONDS = 0.25
# Seconds of speech for nobody; the rest is for engines that compile what they meet for the first time.
TRIAL_SECONDS = 300.0


class TokenEngine:
    """Serves what a token source draws. It cannot pause: a stream may run ahead as far as its frame limit."""

    deterministic = False
    can_pause = False

    def __init__(self, name: str, source: TokenSource, setup: EngineSetup, vocabulary: int) -> None:
        self.name = name
        self.context_tokens = min(setup.settings.context_tokens, setup.profile.max_context_tokens)
        self._source = source
        self._setup = setup
        self._grammar = SlotGrammar(setup.profile)
        self._limits = Limits(vocabulary, self.context_tokens)
        self._streams: set[TokenStream] = set()
        self._observing: asyncio.Task[None] | None = None
        self._hung = asyncio.Event()

    async def start(self) -> None:
        """Starts the source, has it prove the slot mask, and measures how many streams it carries."""
        await self._source.start()
        try:
            async with asyncio.timeout(TRIAL_SECONDS):
                streams = await self._try_out()
        except SwaraError as error:
            raise SetupError(f"the engine failed its trial: {error.sentence}") from None
        except TimeoutError:
            raise SetupError(f"the engine did not finish its trial within {TRIAL_SECONDS:g} s") from None
        self._capacity = Capacity(streams, streams)
        log.info("warm: capacity %d streams", streams)
        self._observing = asyncio.create_task(self._observe())

    @asynccontextmanager
    async def open(self, request: GenerationRequest) -> AsyncIterator[AsyncIterator[Codes | Ended]]:
        """A place for this request; inside it, frames [F, 7] as they are made, then one Ended."""
        stream = self._admit(request)
        try:
            async with aclosing(self._events(stream)) as events:
                yield events
        finally:
            self._streams.remove(stream)

    def load(self) -> EngineLoad:
        """The load now; Prometheus asks from a thread of its own."""
        now, streams = time.monotonic(), list(self._streams)
        started = sum(stream.started for stream in streams)
        slack = min((stream.lead.seconds(now) for stream in streams if stream.listened_to), default=0.0)
        return EngineLoad(started, len(streams) - started, 0, self._capacity.streams, slack)

    async def failed(self) -> None:
        """Returns when the source has broken, or gives nothing to streams that were speaking."""
        signs = [asyncio.ensure_future(wait) for wait in (self._source.failed(), self._hung.wait())]
        try:
            await asyncio.wait(signs, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for sign in signs:
                sign.cancel()

    async def stop(self) -> None:
        """Ends every stream and the source."""
        if self._observing:
            self._observing.cancel()
            with suppress(asyncio.CancelledError):
                await self._observing
        await self._source.stop()

    def _admit(self, request: GenerationRequest) -> TokenStream:
        self._limits.check(request)
        if self._hung.is_set():
            raise Unavailable("the engine is not running")
        taken = len(self._streams)
        if request.admission_class is AdmissionClass.NEW and taken >= self._capacity.streams:
            raise Full(f"all {self._capacity.streams} streams are taken; try again soon")
        stream = TokenStream(request, self._grammar, time.monotonic())
        self._streams.add(stream)
        return stream

    async def _try_out(self) -> int:
        trial = Trial(self._source, self._setup.profile)
        await trial.prove_slot_mask()
        return await trial.carried_streams(self._setup.settings.max_streams)

    async def _events(self, stream: TokenStream) -> AsyncGenerator[Codes | Ended, None]:
        framer = Framer(self._grammar)
        if not stream.at_limit:
            async with self._patient(stream), aclosing(self._source.generate(stream.order)) as tokens:
                while not (framer.ended or stream.at_limit):
                    ids = await self._next(stream, tokens)
                    now = time.monotonic()
                    stream.drew(now)
                    codes = framer.feed(ids)
                    if len(codes):
                        stream.spoke(len(codes), now)
                        yield codes
        yield stream.ended(framer.ended, time.monotonic())

    @asynccontextmanager
    async def _patient(self, stream: TokenStream) -> AsyncIterator[None]:
        """Inside it the stream waits for tokens until `_observe` gives up: one timer for all, not one a token."""
        try:
            async with stream.patience:
                yield
        except TimeoutError:
            if not stream.patience.expired():
                raise
            raise Broken("the engine hangs; it will be started again") from None

    async def _next(self, stream: TokenStream, tokens: AsyncGenerator[list[int], None]) -> list[int]:
        stream.waits(time.monotonic())
        try:
            return await anext(tokens)
        except StopAsyncIteration:
            raise Broken("the engine ended the stream before its end") from None
        finally:
            stream.waits(None)

    async def _observe(self) -> None:
        while True:
            await asyncio.sleep(OBSERVE_SECONDS)
            now = time.monotonic()
            self._give_up_on([stream for stream in self._streams if stream.waited_seconds(now) > HUNG_SECONDS])
            leads = [stream.lead.seconds(now) for stream in self._streams if stream.listened_to]
            self._capacity.observe(now, len(self._streams), min(leads, default=float("inf")))

    def _give_up_on(self, silent: list[TokenStream]) -> None:
        for stream in silent:
            log.error("the engine has given no token for %g s to a stream that was speaking", HUNG_SECONDS)
            self._hung.set()
            stream.patience.reschedule(asyncio.get_running_loop().time())
