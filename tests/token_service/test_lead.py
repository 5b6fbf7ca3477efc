"""What a listener holds: speech that has come and has not been played, gaps included."""

import pytest

from swara.frames import FRAME_SECONDS
from token_service.lead import LOOKAHEAD_FRAMES, START_FRAMES, Lead


def playing(at_seconds: float) -> Lead:
    """The lead of a listener whose playback begins at this moment."""
    lead = Lead()
    lead.sent(START_FRAMES, at_seconds)
    return lead


def test_a_listener_holds_nothing_until_there_is_enough_to_begin_with() -> None:
    lead = Lead()
    lead.sent(START_FRAMES - 1, 10.0)
    assert (lead.playing, lead.seconds(11.0)) == (False, 0.0)
    lead.sent(1, 12.0)
    assert lead.playing
    assert lead.seconds(12.0) == pytest.approx((START_FRAMES - LOOKAHEAD_FRAMES) * FRAME_SECONDS)


def test_frames_add_to_what_is_held_and_playback_takes_from_it() -> None:
    lead = playing(0.0)
    held = lead.seconds(0.0)
    lead.sent(4, 0.05)
    assert lead.seconds(0.1) == pytest.approx(held + 4 * FRAME_SECONDS - 0.1)


def test_a_gap_lasts_until_the_next_frame_and_leaves_nobody_behind() -> None:
    lead = playing(0.0)
    assert lead.seconds(9.0) < 0
    lead.sent(1, 9.0)
    assert lead.seconds(9.0) == pytest.approx(FRAME_SECONDS)
    for frame in range(1, 11):
        lead.sent(1, 9.0 + frame * FRAME_SECONDS / 2)
    assert lead.seconds(9.0 + 5 * FRAME_SECONDS) == pytest.approx(6 * FRAME_SECONDS), "twice as fast as it is played"
