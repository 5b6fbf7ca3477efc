"""Guards: loops are seen, speech is not mistaken for one."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from swara.frames import Codes
from token_service.engines.base import Ended
from token_service.guard import LONGEST_LOOP_FRAMES, LOOP_FRAMES, LoopGuard, until_loop

SPEECH = np.random.default_rng(1).integers(0, 1024, (2 * LOOP_FRAMES, 7), dtype=np.uint16)


@pytest.mark.parametrize("period", range(1, LONGEST_LOOP_FRAMES + 1))
def test_a_loop_of_any_period_is_seen_after_three_seconds(period: int) -> None:
    guard = LoopGuard()
    assert not guard.loops(SPEECH)
    loop = np.tile(SPEECH[:period], (LOOP_FRAMES + 1, 1))
    assert not guard.loops(loop[: LOOP_FRAMES + period - 1])
    assert guard.loops(loop[LOOP_FRAMES + period - 1 : LOOP_FRAMES + period])


def test_a_pause_that_almost_repeats_is_no_loop() -> None:
    pause = np.tile(SPEECH[:1], (3 * LOOP_FRAMES, 1))
    pause[::9, 3] += 1
    assert not LoopGuard().loops(pause)


def test_a_looping_stream_is_ended_and_says_so() -> None:
    async def looping() -> AsyncIterator[Codes | Ended]:
        while True:
            yield SPEECH[:1]

    async def story() -> list[Codes | Ended]:
        return [event async for event in until_loop(looping())]

    *frames, end = asyncio.run(story())
    assert len(frames) == LOOP_FRAMES + 1
    assert isinstance(end, Ended)
    assert (end.looped, end.by_model) == (True, False)
