"""What happens when an engine's own process is gone. The last test of each engine, for it is not usable afterwards."""

import asyncio
import multiprocessing

import pytest

from swara.errors import Broken, Unavailable
from tests.engines.conftest import Served
from tests.engines.requests import codes_of, request


def test_an_engine_whose_process_dies_tells_its_streams_and_says_that_it_has_failed(served: Served) -> None:
    children = multiprocessing.active_children()
    if not children:
        pytest.skip(f"{served.name} has no process of its own")

    async def story() -> None:
        watching = asyncio.create_task(served.engine.failed())
        speaking = asyncio.create_task(codes_of(served.engine, request(1, frames=280)))
        await asyncio.sleep(1.0)
        assert not watching.done()
        for child in children:
            child.kill()
        with pytest.raises((Broken, Unavailable)):
            await asyncio.wait_for(speaking, 20.0)
        await asyncio.wait_for(watching, 20.0)
        with pytest.raises(Unavailable):
            await codes_of(served.engine, request(1))

    served.run(story())
