"""pace.py: when a listener holds too little to wait for the start of the next segment, by a clock set by hand."""

from gateway.speech.pace import SAFE_SECONDS, SECONDS_PER_CHARACTER, SHORTER_SHARE, Pace

CHARACTERS = 100
# Of a segment of so many characters this much is sure to come.
SURE_SECONDS = (1 - SHORTER_SHARE) * CHARACTERS * SECONDS_PER_CHARACTER


def speaking(real_time_factor: float, audio_seconds: float, step_seconds: float = 0.085) -> tuple[Pace, float]:
    """A segment that is spoken at this speed, after so much of it, and the time."""
    pace, now = Pace(), 0.0
    pace.begin(CHARACTERS)
    for _ in range(round(audio_seconds / step_seconds)):
        pace.heard(step_seconds, now)
        now += step_seconds / real_time_factor
    return pace, now


def test_at_a_real_time_factor_of_one_the_next_segment_is_due_near_the_end_and_not_before() -> None:
    assert not Pace().runs_short(0.0)
    pace, now = speaking(1.0, SURE_SECONDS - SAFE_SECONDS - 0.2)
    assert not pace.runs_short(now)
    pace, now = speaking(1.0, SURE_SECONDS - SAFE_SECONDS + 0.2)
    assert pace.runs_short(now)


def test_who_is_spoken_to_fast_holds_enough_at_the_end() -> None:
    pace, now = speaking(2.0, SURE_SECONDS)
    assert not pace.runs_short(now)


def test_a_short_segment_at_the_start_is_over_before_anything_is_held() -> None:
    pace = Pace()
    pace.begin(10)
    pace.heard(0.1, 0.0)
    assert pace.runs_short(0.0)


def test_how_a_text_has_been_spoken_so_far_tells_how_long_its_next_segment_is() -> None:
    slow, now = speaking(1.0, 4 * CHARACTERS * SECONDS_PER_CHARACTER)
    slow.begin(CHARACTERS)
    slow.heard(SURE_SECONDS, now)
    assert not slow.runs_short(now + SURE_SECONDS)


def test_of_a_segment_that_goes_on_what_was_heard_elsewhere_is_behind_it() -> None:
    pace = Pace()
    pace.begin(CHARACTERS, audio_seconds=SURE_SECONDS)
    pace.heard(0.1, 0.0)
    assert pace.runs_short(0.0)
