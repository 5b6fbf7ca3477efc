"""ahead.py: what becomes of a segment that was begun before its turn."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from gateway.model import Model
from gateway.speech.ahead import Ahead
from gateway.speech.segment import SegmentChunk, SegmentEvent, SegmentOrder, SegmentStarted
from swara.errors import Full
from swara.frames import FRAME_BYTES, SAMPLES_PER_FRAME
from swara.speech import AdmissionClass, Priority, Sampling
from swara.stopwatch import Stopwatch

STARTED = SegmentStarted("f", "v", 24_000)
CHUNK = SegmentChunk(0, bytes(2 * SAMPLES_PER_FRAME), 0, bytes(FRAME_BYTES))
ORDER = SegmentOrder("r1", 1, "नमस्ते", "v", Sampling(), 7, AdmissionClass.CONTINUING, Priority.INTERACTIVE, None, 0.0)


class Refusing:
    """A source that runs out of room once, after these events, and then speaks."""

    def __init__(self, *before: SegmentEvent) -> None:
        self._before = before
        self.orders = 0

    async def model(self) -> Model:
        return Model("m", "f", (), (), 24_000, 200)

    async def speak(self, order: SegmentOrder) -> AsyncGenerator[SegmentEvent, None]:
        self.orders += 1
        for event in self._before if self.orders == 1 else (STARTED, CHUNK):
            yield event
        if self.orders == 1:
            raise Full("no room")


async def spoken(source: Refusing) -> list[SegmentEvent]:
    """The segment as its listener gets it, begun before its turn."""
    async with aclosing(Ahead(source, Stopwatch())) as ahead:
        ahead.begin(ORDER)
        return [event async for event in ahead.speak(ORDER)]


def test_a_segment_that_found_no_room_before_its_turn_is_ordered_when_its_turn_has_come() -> None:
    assert asyncio.run(spoken(Refusing())) == [STARTED, CHUNK]
    assert asyncio.run(spoken(Refusing(STARTED)))[-1] == CHUNK


def test_a_segment_of_which_something_has_been_heard_is_not_begun_anew() -> None:
    source = Refusing(STARTED, CHUNK)
    with pytest.raises(Full):
        asyncio.run(spoken(source))
    assert source.orders == 1
