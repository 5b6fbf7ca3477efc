"""hangup.py: two things at once, of which one decides when both end."""

import asyncio

import pytest

from gateway.doors.hangup import alongside, until_gone
from swara.errors import Cancelled, InvalidRequest, Unavailable


async def forever(ended: list[str]) -> None:
    try:
        await asyncio.sleep(60)
    finally:
        ended.append("ended")


async def nothing() -> None:
    await asyncio.sleep(0)


async def fails(error: Exception) -> None:
    await asyncio.sleep(0)
    raise error


def test_the_end_of_the_work_ends_the_reading() -> None:
    ended: list[str] = []
    asyncio.run(alongside(nothing(), forever(ended)))
    assert ended == ["ended"]


def test_the_end_of_the_reading_ends_nothing() -> None:
    done: list[str] = []

    async def works() -> None:
        await asyncio.sleep(0.01)
        done.append("done")

    asyncio.run(alongside(works(), nothing()))
    assert done == ["done"]


def test_an_error_of_either_ends_both_and_is_raised_as_it_is() -> None:
    ended: list[str] = []
    with pytest.raises(InvalidRequest, match="second configuration"):
        asyncio.run(alongside(forever(ended), fails(InvalidRequest("a second configuration came"))))
    with pytest.raises(Unavailable, match="gone"):
        asyncio.run(alongside(fails(Unavailable("gone")), forever(ended)))
    assert ended == ["ended", "ended"]


def test_a_caller_who_hangs_up_cancels_the_work_and_waits_until_it_has_let_go() -> None:
    ended: list[str] = []
    with pytest.raises(Cancelled):
        asyncio.run(until_gone(forever(ended), nothing()))
    assert ended == ["ended"]
