"""How many texts a batch asks for at once."""

from hypothesis import given
from hypothesis import strategies as st

from swara_client.room import Room


def fill(room: Room) -> int:
    while room.free:
        room.enter()
    return room.running


def test_all_jobs_are_tried_at_first() -> None:
    assert fill(Room(16)) == 16


def test_refusals_leave_room_for_those_that_were_taken() -> None:
    room = Room(16)
    fill(room)
    for _ in range(12):
        room.refused()
    assert room.running == 4
    assert not room.free


def test_as_many_texts_spoken_as_run_at_once_earn_one_more_try() -> None:
    room = Room(16)
    fill(room)
    for _ in range(12):
        room.refused()
    for _ in range(5):
        room.leave()
        fill(room)
    assert room.running == 5


@given(st.integers(1, 20), st.integers(1, 20))
def test_a_batch_settles_at_what_the_server_takes(jobs: int, capacity: int) -> None:
    room = Room(jobs)
    for _ in range(40):
        fill(room)
        while room.running > capacity:
            room.refused()
        assert room.running == min(jobs, capacity)
        room.leave()


def test_one_is_always_tried() -> None:
    room = Room(1)
    for _ in range(3):
        assert fill(room) == 1
        room.refused()
