"""How many frames go into one message."""

from hypothesis import given
from hypothesis import strategies as st

from swara.frames import FRAME_SECONDS
from swara.pacing import LADDER, Pacer


def test_the_first_half_second_goes_out_frame_by_frame() -> None:
    pacer, sent = Pacer(), 0
    while sent * FRAME_SECONDS < 0.5:
        assert pacer.wanted_frames(0.0) == 1
        pacer.sent(1, 0.0)
        sent += 1
    assert pacer.wanted_frames(0.0) == 2


def test_a_listener_who_holds_two_seconds_gets_four_frames_at_once() -> None:
    pacer = Pacer()
    pacer.sent(30, 0.0)
    assert pacer.wanted_frames(0.0) == 4


def test_a_listener_who_is_about_to_run_dry_gets_single_frames() -> None:
    pacer = Pacer()
    pacer.sent(30, 0.0)
    assert pacer.wanted_frames(30 * FRAME_SECONDS - 0.1) == 1


@given(st.lists(st.tuples(st.integers(1, 4), st.floats(0, 1)), max_size=60), st.floats(0, 5))
def test_waiting_for_a_full_message_never_lets_the_listener_run_dry(
    sends: list[tuple[int, float]], pause: float
) -> None:
    pacer, now, sent, first = Pacer(), 0.0, 0, None
    for frames, wait in sends:
        now += wait
        pacer.sent(frames, now)
        sent += frames
        first = now if first is None else first
    now += pause
    wanted = pacer.wanted_frames(now)
    assert wanted in {frames for _, frames in LADDER}
    if wanted > 1:
        assert first is not None
        held_seconds = sent * FRAME_SECONDS - (now - first)
        # Even at exactly real time, the frames waited for arrive before what is held has been played.
        assert held_seconds > wanted * FRAME_SECONDS
