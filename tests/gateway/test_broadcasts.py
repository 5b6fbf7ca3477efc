"""broadcasts.py: until when a shareable synthesis can be joined, and that nothing of it is kept afterwards."""

import asyncio
import gc
from collections.abc import AsyncGenerator, Callable

import pytest

from gateway.events import SpeechEvent, Started
from gateway.request import ListenRequest
from gateway.sharing.broadcasts import Broadcasts
from gateway.sharing.fanout import Broadcast
from gateway.sharing.relay import GatewayRelay
from gateway.sharing.synthesis_id import SynthesisIds
from swara.errors import NotFound
from tests.gateway.loop import settled

STARTED = Started("r1", "5" * 32, "m", "f", "v", 7, 24_000)
LONG_SECONDS = 60.0
SOON_SECONDS = 30.0


def broadcasts() -> Broadcasts:
    return Broadcasts(SynthesisIds((b"k" * 16,), "127.0.0.1:50051"), GatewayRelay(), 96_000, LONG_SECONDS)


async def speaking(then: Callable[[], object], may_end: asyncio.Event) -> AsyncGenerator[SpeechEvent, None]:
    """Starts, does one thing, and when it is closed takes its time."""
    try:
        yield STARTED
        then()
        await asyncio.sleep(LONG_SECONDS)
    finally:
        await may_end.wait()


async def heard(events: AsyncGenerator[SpeechEvent, None]) -> list[SpeechEvent]:
    return [event async for event in events]


def test_who_joins_while_the_last_listener_leaves_is_told_that_it_is_over() -> None:
    async def story() -> None:
        shared, may_end = broadcasts(), asyncio.Event()
        only = shared.open(speaking(lambda: None, may_end), "")
        started = await anext(only)
        assert isinstance(started, Started)
        leaving = asyncio.create_task(only.aclose())
        await settled()
        late = shared.listen(ListenRequest("r2", started.synthesis_id))
        with pytest.raises(NotFound):
            await asyncio.wait_for(heard(late), SOON_SECONDS)
        may_end.set()
        await leaving

    asyncio.run(story())


def test_who_leaves_as_the_synthesis_starts_leaves_nothing_behind() -> None:
    async def story() -> Broadcasts:
        shared, may_end = broadcasts(), asyncio.Event()
        may_end.set()

        only = shared.open(speaking(lambda: listener.cancel(), may_end), "")
        listener = asyncio.create_task(heard(only))
        await asyncio.wait([listener])
        assert listener.cancelled()
        return shared

    before = kept_broadcasts()
    shared = asyncio.run(story())
    assert kept_broadcasts() == before, shared


def kept_broadcasts() -> int:
    gc.collect()
    return sum(isinstance(kept, Broadcast) for kept in gc.get_objects())
