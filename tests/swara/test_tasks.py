"""tasks.py: of tasks that run together the first error ends all of them, and its kind can be told."""

import asyncio
from asyncio import Event, Task

import pytest

from swara.errors import Full
from swara.tasks import together


async def refuse(when: Event) -> None:
    await when.wait()
    raise Full("no room")


def test_an_error_of_a_task_comes_out_as_itself_and_ends_the_block_and_the_others() -> None:
    waiting: list[Task[bool]] = []

    async def story() -> None:
        when = Event()
        async with together() as group:
            group.create_task(refuse(when))
            waiting.append(group.create_task(Event().wait()))
            when.set()
            await Event().wait()

    with pytest.raises(Full, match="no room"):
        asyncio.run(asyncio.wait_for(story(), 60))
    assert waiting[0].cancelled()


def test_an_error_of_the_block_comes_out_as_itself_too_and_ends_the_tasks() -> None:
    waiting: list[Task[bool]] = []

    async def story() -> None:
        async with together() as group:
            waiting.append(group.create_task(Event().wait()))
            raise Full("no room")

    with pytest.raises(Full, match="no room"):
        asyncio.run(asyncio.wait_for(story(), 60))
    assert waiting[0].cancelled()
