"""Guards: loops are seen, speech is not mistaken for one."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from swara.frames import Codes, no_codes
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
        return [event async for event in until_loop(looping(), no_codes())]

    *frames, end = asyncio.run(story())
    assert len(frames) == LOOP_FRAMES + 1
    assert isinstance(end, Ended)
    assert (end.looped, end.by_model) == (True, False)


@pytest.mark.parametrize("resumed", [1, LOOP_FRAMES - 1, LOOP_FRAMES, LOOP_FRAMES + 1])
def test_a_loop_that_is_resumed_ends_where_it_would_have_ended(resumed: int) -> None:
    async def looping() -> AsyncIterator[Codes | Ended]:
        while True:
            yield SPEECH[:1]

    async def story() -> int:
        resume = np.tile(SPEECH[:1], (resumed, 1))
        events = [event async for event in until_loop(looping(), resume)]
        return sum(not isinstance(event, Ended) for event in events)

    assert resumed + asyncio.run(story()) == LOOP_FRAMES + 1


def test_a_loops_end_tells_how_long_its_frames_took() -> None:
    prompt_seconds, frame_seconds = 0.05, 0.002

    async def looping() -> AsyncIterator[Codes | Ended]:
        await asyncio.sleep(prompt_seconds)
        while True:
            yield SPEECH[:1]
            await asyncio.sleep(frame_seconds)

    async def story() -> Codes | Ended:
        return [event async for event in until_loop(looping(), no_codes())][-1]

    end = asyncio.run(story())
    assert isinstance(end, Ended)
    assert end.prefill_seconds >= prompt_seconds
    assert end.decode_seconds >= LOOP_FRAMES * frame_seconds
