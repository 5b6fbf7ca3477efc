"""Hanging up: work for a caller ends as soon as the caller is gone (law 5)."""

from collections.abc import Coroutine
from typing import Any

from swara.errors import Cancelled
from swara.tasks import together


async def until_gone(work: Coroutine[Any, Any, None], gone: Coroutine[Any, Any, None]) -> None:
    """Runs `work`; when `gone` returns first, cancels it, waits until it has let go, and raises Cancelled."""
    async with together() as group:
        worker = group.create_task(work)
        watcher = group.create_task(gone)
        worker.add_done_callback(lambda _: watcher.cancel())
        watcher.add_done_callback(lambda _: worker.cancel())
    if worker.cancelled():
        raise Cancelled("the caller went away")


async def alongside(work: Coroutine[Any, Any, None], reading: Coroutine[Any, Any, None]) -> None:
    """Runs `work` to its end while `reading` runs too, which then is cancelled; an error of either ends both."""
    async with together() as group:
        reader = group.create_task(reading)
        await work
        reader.cancel()
