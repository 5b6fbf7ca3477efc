"""Engines that stand side by side and measure in turns, so that whatever else a machine does strikes all alike."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

from swara.errors import SetupError

# From its start until an engine can be asked: it loads, compiles and tries itself out.
READY_SECONDS = 300.0
STOP_SECONDS = 15.0


class EngineLost(Exception):
    """An engine that was ready cannot go on; the sentence says why."""


class Measured(Protocol):
    """An engine in a process of its own, which rests until it is asked for a row."""

    def wait_until_ready(self) -> None:
        """Raises SetupError with what it said if it cannot start here."""

    def row(self, streams: int, frames: int) -> dict[str, Any]:
        """The figures of so many streams of so many frames, after a few frames unmeasured; raises EngineLost."""

    def stop(self) -> None:
        """Ends the process; one that has ended already is left alone."""


@contextmanager
def side_by_side(starts: Mapping[str, Callable[[], Measured]]) -> Iterator[dict[str, Measured]]:
    """The engines that can start here, by name; the others are named on stderr.

    They start one after the other: an engine that measures itself or the card's memory as it starts is alone with those
    that rest.
    """
    with ExitStack() as running:
        standing: dict[str, Measured] = {}
        for name, start in starts.items():
            try:
                standing[name] = running.enter_context(started(start))
            except SetupError as error:
                print(f"{name} is left out: {error}", file=sys.stderr)
        yield standing


@contextmanager
def started(start: Callable[[], Measured]) -> Iterator[Measured]:
    """An engine that is ready; stopped in the end."""
    engine = start()
    try:
        engine.wait_until_ready()
        yield engine
    finally:
        engine.stop()


def take_turns(
    engines: Mapping[str, Measured], counts: Sequence[int], frames: int, rounds: int
) -> Iterator[dict[str, Any]]:
    """In every round, for every number of streams, one row of every engine; each round begins with another one.

    Who is lost is named on stderr and stopped, keeps the rows it has, and the others go on.
    """
    standing = dict(engines)
    for number, order in enumerate(orders(list(engines), rounds), start=1):
        for streams in counts:
            for name in [name for name in order if name in standing]:
                try:
                    row = standing[name].row(streams, frames)
                except EngineLost as error:
                    print(f"{name} was lost in round {number} with {streams} streams: {error}", file=sys.stderr)
                    standing.pop(name).stop()
                else:
                    yield {"round": number, "engine": name, "streams": streams, **row}


def orders(names: list[str], rounds: int) -> list[list[str]]:
    """Who follows whom in each round."""
    return [names[first:] + names[:first] for first in (number % max(1, len(names)) for number in range(rounds))]
