"""silence.py: how long a replica may be silent, and that the end of its time is one event."""

import asyncio
from typing import Any

import pytest

from gateway.replicas import silence

SECONDS = 0.05
LONG_SECONDS = 60.0


def test_a_replica_may_be_silent_for_less_time_where_another_could_go_on() -> None:
    async def story(replaceable: bool, longest_seconds: float) -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(TimeoutError):
            async with silence.at_most(longest_seconds, SECONDS, lambda: replaceable):
                await asyncio.sleep(LONG_SECONDS)
        return loop.time() - began

    assert asyncio.run(story(True, LONG_SECONDS)) < LONG_SECONDS / 2
    assert asyncio.run(story(False, 10 * SECONDS)) >= 10 * SECONDS


def test_a_time_that_ends_for_both_reasons_at_once_ends_without_a_complaint() -> None:
    complaints: list[dict[str, Any]] = []

    async def story() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        for _ in range(5):
            with pytest.raises(TimeoutError):
                async with silence.at_most(SECONDS, SECONDS, lambda: True):
                    await asyncio.sleep(LONG_SECONDS)

    asyncio.run(story())
    assert not complaints
