"""ladder.py: a step that is filled up to the next rung wastes at most half of it."""

import itertools

import pytest

from swara.ladder import ladder


@pytest.mark.parametrize("most", [1, 3, 80, 256, 512, 600])
def test_the_ladder_ends_with_the_most_rows_and_wastes_little(most: int) -> None:
    rungs = ladder(most)
    assert rungs[-1] == most
    assert all(above <= 2 * below for below, above in itertools.pairwise(rungs))
