"""window.py and ending.py: a slow reader fills its own window and no more, and is hung up on at last."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from gateway.ending import Ending
from gateway.events import Chunk, SpeechEvent
from gateway.window import WINDOW_BYTES, Window
from swara.errors import Full, TimedOut, Unavailable
from tests.gateway.loop import settled

SIZE_BYTES = WINDOW_BYTES // 4
PIECE = Chunk(0, 0, bytes(SIZE_BYTES), 0, b"")


class Source:
    """Chunks without end, and how many have been taken from it."""

    def __init__(self, limit: int = 1_000) -> None:
        self.given = 0
        self.closed = False
        self._limit = limit

    async def events(self) -> AsyncGenerator[SpeechEvent, None]:
        try:
            while self.given < self._limit:
                self.given += 1
                yield PIECE
                await asyncio.sleep(0)
        finally:
            self.closed = True


def test_everything_comes_through_in_order() -> None:
    async def story() -> int:
        events = Window(1.0, Ending().tell).through(Source(50).events())
        return len([event async for event in events])

    assert asyncio.run(story()) == 50


def test_a_reader_who_pauses_lets_the_source_go_on_up_to_the_window_and_no_further() -> None:
    async def story() -> None:
        source = Source()
        async with aclosing(Window(60.0, Ending().tell).through(source.events())) as events:
            await anext(events)
            await settled()
            # One has been read, the window is full, one waits to be put into it.
            assert source.given == 1 + WINDOW_BYTES // SIZE_BYTES + 1
            await anext(events)
            await settled()
            assert source.given == 3 + WINDOW_BYTES // SIZE_BYTES
        assert source.closed

    asyncio.run(story())


def test_a_reader_stuck_in_a_write_is_hung_up_on_with_a_sentence() -> None:
    source = Source()

    async def story() -> None:
        ending = Ending()
        async with ending.reached(), aclosing(Window(0.1, ending.tell).through(source.events())) as events:
            async for _ in events:
                await asyncio.sleep(60)

    with pytest.raises(TimedOut, match=r"the listener took nothing for 0\.1 s"):
        asyncio.run(story())
    assert source.closed


def test_what_is_left_at_the_end_is_not_kept_for_a_reader_stuck_in_a_write() -> None:
    source = Source(limit=3)

    async def story() -> None:
        ending = Ending()
        async with ending.reached(), aclosing(Window(0.1, ending.tell).through(source.events())) as events:
            async for _ in events:
                await asyncio.sleep(2)

    with pytest.raises(TimedOut, match=r"the listener took nothing for 0\.1 s"):
        asyncio.run(story())
    assert source.closed


def test_a_reader_who_takes_the_rest_slowly_gets_all_of_it() -> None:
    async def story() -> int:
        count = 0
        ending = Ending()
        async with ending.reached(), aclosing(Window(2.0, ending.tell).through(Source(limit=4).events())) as events:
            async for _ in events:
                await asyncio.sleep(0.7)
                count += 1
        return count

    assert asyncio.run(story()) == 4


def test_stopping_closes_the_source_at_once_even_while_its_reader_is_stuck_in_a_write() -> None:
    async def story() -> None:
        source, window = Source(), Window(60.0, Ending().tell)
        async with aclosing(window.through(source.events())) as events:
            await anext(events)
            window.stop()
            await settled()
            assert source.closed
            assert [event async for event in events] == []

    asyncio.run(story())


def test_what_goes_wrong_in_the_source_reaches_the_reader_after_what_came_before() -> None:
    async def broken() -> AsyncGenerator[SpeechEvent, None]:
        yield PIECE
        raise Full("no room")

    async def story() -> None:
        events = Window(1.0, Ending().tell).through(broken())
        assert await anext(events) is PIECE
        await anext(events)

    with pytest.raises(Full, match="no room"):
        asyncio.run(story())


def test_the_first_reason_to_end_is_the_one_that_is_told() -> None:
    async def story() -> None:
        ending = Ending()
        async with ending.reached():
            ending.tell(Unavailable("first"))
            ending.tell(Unavailable("second"))
            await asyncio.sleep(60)

    with pytest.raises(Unavailable, match="first"):
        asyncio.run(story())


def test_a_timeout_of_the_callers_own_stays_one() -> None:
    async def story() -> None:
        async with asyncio.timeout(0.01), Ending().reached():
            await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        asyncio.run(story())
