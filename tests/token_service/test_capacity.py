"""Capacity: measured on the idle machine, corrected by the slack of the slowest stream."""

from swara.frames import FRAME_SECONDS
from token_service.capacity import SETTLE_SECONDS, Capacity


def measured(step_share: float, ceiling: int = 16) -> Capacity:
    capacity = Capacity(ceiling)
    capacity.measured(step_share * FRAME_SECONDS, 4)
    return capacity


def test_capacity_is_what_fits_into_three_quarters_of_a_frames_time() -> None:
    assert measured(0.2).streams == 12
    assert measured(0.01).streams == 16, "never above the places there are"
    assert measured(3.0).streams == 1, "never below one"


def test_a_stream_behind_real_time_lowers_it_below_what_was_running() -> None:
    capacity = measured(0.2)
    capacity.observe(0.0, 9, -0.01)
    assert capacity.streams == 8
    capacity.observe(1.0, 8, -0.01)
    assert capacity.streams == 8, "it waits to see what that did"
    capacity.observe(SETTLE_SECONDS, 8, -0.01)
    assert capacity.streams == 7


def test_it_grows_back_one_by_one_and_only_when_it_is_used_up_with_a_safe_lead() -> None:
    capacity = measured(0.2)
    capacity.observe(0.0, 3, -1.0)
    assert capacity.streams == 2
    for step, (running, lead, expected) in enumerate([(1, 1.0, 2), (2, 0.1, 2), (2, 1.0, 3), (3, 1.0, 4)], 1):
        capacity.observe(step * SETTLE_SECONDS, running, lead)
        assert capacity.streams == expected
    for step in range(10, 40):
        capacity.observe(step * SETTLE_SECONDS, 99, 1.0)
    assert capacity.streams == 16, "never above the places there are"
