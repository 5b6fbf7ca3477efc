"""Capacity: what fits into a frame's time, corrected by the listener who holds least."""

from swara.capacity import SETTLE_SECONDS, USABLE_SHARE, Capacity
from swara.frames import FRAME_SECONDS


def stepping(share: float, ceiling: int = 16) -> Capacity:
    """A capacity whose steps of four streams take this share of the usable part of a frame's time."""
    capacity = Capacity(ceiling, 4)
    capacity.stepped(share * USABLE_SHARE * FRAME_SECONDS)
    return capacity


def test_capacity_is_what_fits_into_the_usable_part_of_a_frames_time() -> None:
    assert stepping(0.33).streams == 12
    assert stepping(0.01).streams == 16, "never above the places there are"
    assert stepping(3.0).streams == 1, "never below one"


def test_a_step_of_more_than_its_share_costs_streams_one_by_one_and_not_all_at_once() -> None:
    shares = (1.0, 1.02, 1.3, 1.5, 1.66, 1.7)
    assert [stepping(share).streams for share in shares] == [4, 3, 2, 1, 1, 1]


def test_steps_that_become_slower_lower_it_and_faster_ones_raise_it_again() -> None:
    capacity = stepping(0.33)
    for _ in range(100):
        capacity.stepped(0.9 * USABLE_SHARE * FRAME_SECONDS)
    assert capacity.streams == 4
    for _ in range(100):
        capacity.stepped(0.3 * USABLE_SHARE * FRAME_SECONDS)
    assert capacity.streams == 12


def test_a_step_that_is_known_to_take_less_raises_it_at_once_and_one_that_may_take_more_changes_nothing() -> None:
    capacity = stepping(3.0)
    capacity.stepped_within(2.0 * FRAME_SECONDS)
    assert capacity.streams == 1
    capacity.stepped_within(0.5 * USABLE_SHARE * FRAME_SECONDS)
    assert capacity.streams == 8
    capacity.stepped_within(FRAME_SECONDS)
    assert capacity.streams == 8


def test_a_listener_about_to_run_dry_lowers_it_below_what_was_running() -> None:
    capacity = stepping(0.33)
    capacity.observe(0.0, 9, 0.01)
    assert capacity.streams == 8
    capacity.observe(1.0, 8, 0.01)
    assert capacity.streams == 8, "it waits to see what that did"
    capacity.observe(SETTLE_SECONDS, 8, 0.01)
    assert capacity.streams == 7


def test_it_grows_back_one_by_one_while_everybody_holds_enough() -> None:
    capacity = stepping(0.33)
    capacity.observe(0.0, 3, 0.01)
    assert capacity.streams == 2
    for step, (lead, expected) in enumerate([(0.1, 2), (1.0, 3), (float("inf"), 4)], 1):
        capacity.observe(step * SETTLE_SECONDS, 2, lead)
        assert capacity.streams == expected
    for step in range(10, 40):
        capacity.observe(step * SETTLE_SECONDS, 9, 1.0)
    assert capacity.streams == 12, "never above what fits"
