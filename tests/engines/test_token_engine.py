"""The engine of frames made from one of tokens, over the demo model run by plain transformers."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack

import numpy as np
import pytest

from swara.errors import Broken, SetupError, Unavailable
from tests.engines.reference import PlainSource
from tests.engines.requests import codes_of, request, setup, spoken
from token_service.engines import token_engine
from token_service.engines.token_engine import TokenEngine
from token_service.engines.token_source import TokenOrder, TokenSource
from token_service.engines.trial import Trial

VOCABULARY = 7424


class ShortSource(PlainSource):
    """Ends every stream after ten tokens."""

    async def generate(self, order: TokenOrder) -> AsyncGenerator[list[int], None]:
        given = 0
        async for ids in super().generate(order):
            yield ids
            given += 1
            if given == 10:
                return


class DumbSource(PlainSource):
    """Ends every stream without a token."""

    async def generate(self, order: TokenOrder) -> AsyncGenerator[list[int], None]:
        for ids in ():
            yield ids


class StuckSource(PlainSource):
    """Gives one frame and a token of the next, and then nothing; unless it is being proved."""

    spared = "proof"

    async def generate(self, order: TokenOrder) -> AsyncGenerator[list[int], None]:
        given = 0
        async for ids in super().generate(order):
            yield ids
            given += 1
            if given == 8 and not order.order_id.startswith(self.spared):
                await asyncio.Event().wait()


def over(source: TokenSource, story: Callable[[TokenEngine], Awaitable[None]]) -> None:
    """Tells a story about an engine over this source, without the trial of its speed."""

    async def tell() -> None:
        engine = TokenEngine("plain", source, setup("native"), VOCABULARY)
        await engine.start()
        try:
            await story(engine)
        finally:
            await engine.stop()

    asyncio.run(tell())


@pytest.fixture(autouse=True)
def _quick_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two streams, without asking how fast plain transformers are."""

    async def carried(trial: Trial, ceiling_streams: int) -> int:
        return 2

    monkeypatch.setattr(Trial, "carried_streams", carried)


def test_a_source_that_keeps_the_grammar_serves_frames() -> None:
    async def story(engine: TokenEngine) -> None:
        codes, end = await spoken(engine, request(frames=3))
        assert codes.shape == (3, 7)
        assert not end.by_model
        assert end.prefill_seconds > 0
        assert np.array_equal(codes, await codes_of(engine, request(frames=3)))

    over(PlainSource(masked=True), story)


def test_a_source_without_the_slot_mask_is_refused_at_the_start() -> None:
    async def story(engine: TokenEngine) -> None:
        raise AssertionError("it must not start")

    with pytest.raises(SetupError, match="slot grammar"):
        over(PlainSource(masked=False), story)


def test_a_stream_that_nobody_reads_any_more_is_closed_in_the_source() -> None:
    source = PlainSource(masked=True)

    async def story(engine: TokenEngine) -> None:
        async with engine.open(request(frames=50)) as events:
            await anext(events)
            assert len(source.open_orders) == 1
        assert not source.open_orders

    over(source, story)


def test_a_stream_that_its_source_ends_early_is_no_speech() -> None:
    async def story(engine: TokenEngine) -> None:
        with pytest.raises(Broken, match="before its end"):
            await codes_of(engine, request(frames=3))

    over(ShortSource(masked=True), story)


def test_the_load_can_be_asked_for_in_another_thread_while_streams_come_and_go() -> None:
    async def story(engine: TokenEngine) -> None:
        def ask() -> int:
            return max(engine.load().queued_streams for _ in range(2000))

        async with AsyncExitStack() as stack:
            for _ in range(200):
                await stack.enter_async_context(engine.open(request()))
            asking = asyncio.create_task(asyncio.to_thread(ask))
            while not asking.done():
                async with engine.open(request()):
                    await asyncio.sleep(0)
            assert await asking in (200, 201)

    interval_seconds = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        over(PlainSource(masked=True), story)
    finally:
        sys.setswitchinterval(interval_seconds)


def test_a_source_that_gives_nothing_more_counts_as_broken_and_its_streams_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story(engine: TokenEngine) -> None:
        watching = asyncio.create_task(engine.failed())
        await codes_of(engine, request(frames=1))
        assert not watching.done(), "an engine that works is left alone"
        monkeypatch.setattr(token_engine, "HUNG_SECONDS", 0.5)
        with pytest.raises(Broken, match="hangs"):
            await codes_of(engine, request(frames=3))
        await asyncio.wait_for(watching, 1.0)
        with pytest.raises(Unavailable):
            await codes_of(engine, request(frames=1))

    over(StuckSource(masked=True), story)


def test_a_source_that_draws_nothing_is_refused_at_the_start() -> None:
    async def story(engine: TokenEngine) -> None:
        raise AssertionError("it must not start")

    with pytest.raises(SetupError, match="drew no token"):
        over(DumbSource(masked=True), story)


def test_a_source_that_gives_nothing_at_the_start_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(engine: TokenEngine) -> None:
        raise AssertionError("it must not start")

    monkeypatch.setattr(token_engine, "TRIAL_SECONDS", 0.5)
    monkeypatch.setattr(StuckSource, "spared", "nobody")
    with pytest.raises(SetupError, match="trial"):
        over(StuckSource(masked=True), story)
