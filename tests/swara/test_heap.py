"""What is on the heap when a service begins to serve costs no collection any more."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from swara.heap import keep_heap


class Node:
    """Something that only the collector can free, where it points to itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _heap_as_it_was() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_is_there_is_not_looked_at_again_and_what_comes_later_is_collected_as_ever() -> None:
    there = Node()
    keep_heap()
    assert not any(looked_at is there for looked_at in gc.get_objects())
    later = weakref.ref(Node())
    gc.collect()
    assert later() is None


def test_rubbish_is_not_kept() -> None:
    rubbish = weakref.ref(Node())
    keep_heap()
    assert rubbish() is None
