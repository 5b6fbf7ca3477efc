"""Every engine that is installed, started once for all tests that do not break it."""

import asyncio
from collections.abc import Coroutine, Iterator
from importlib.util import find_spec
from typing import Any, TypeVar

import pytest

from tests.engines.requests import setup
from token_service.engines.base import Engine
from token_service.engines.registry import ENGINES, build_engine

T = TypeVar("T")
# An engine that compiles its model takes most of a minute.
START_SECONDS = 240


class Served:
    """A running engine, and the event loop it lives in."""

    def __init__(self, name: str, engine: Engine, runner: asyncio.Runner) -> None:
        self.name = name
        self.engine = engine
        self._runner = runner

    def run(self, story: Coroutine[Any, Any, T]) -> T:
        """Tells a story in the engine's loop."""
        return self._runner.run(story)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Gives the first test of an engine the time to start it."""
    for item in items:
        if "served" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(START_SECONDS))


# What is behind `remote` is another server's engine; its tests are in test_remote_engine.py.
@pytest.fixture(scope="session", params=sorted(ENGINES.keys() - {"remote"}))
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    """One engine after another."""
    name = request.param
    if find_spec(ENGINES[name].package) is None:
        pytest.skip(f"{name} is not installed")
    with asyncio.Runner() as runner:
        engine = build_engine(setup(name))
        runner.run(engine.start())
        yield Served(name, engine, runner)
        runner.run(engine.stop())
