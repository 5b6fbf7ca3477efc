"""A seat: what its listener holds, as far as that tells whether the codec is too slow."""

import asyncio
import math

import numpy as np
import pytest

from audio_service.seat import Seat
from audio_service.stream import Delays, Stream, Voicing
from swara.frames import FRAME_SECONDS, SAMPLES_PER_FRAME, SLOTS, Codes


def frames(count: int) -> Codes:
    return np.zeros((count, SLOTS), np.uint16)


def seat_after(given_frames: int, waiting_frames: int) -> Seat:
    """One whose listener got so many frames at second 0, one after the other, while so many more wait."""
    seat = Seat(Stream(Voicing(0), Delays(0, 0)), 0, (), asyncio.Event())
    seat.receive(0, frames(1), 0.0)
    seat.receive(1, frames(1), 0.0)
    seat.receive(2, frames(given_frames + waiting_frames - 2), 0.0)
    for _ in range(given_frames):
        seat.stream.give(seat.stream.take(1), np.zeros(SAMPLES_PER_FRAME, np.float32), 0.0)
    return seat


def test_before_playback_has_begun_nobody_can_hear_a_gap() -> None:
    assert seat_after(given_frames=2, waiting_frames=5).lead_seconds(0.0) == math.inf


def test_from_200_ms_on_what_a_listener_holds_counts() -> None:
    seat = seat_after(given_frames=3, waiting_frames=5)
    assert seat.lead_seconds(0.1) == pytest.approx(3 * FRAME_SECONDS - 0.1)


def test_a_listener_whose_frames_have_all_been_decoded_waits_for_somebody_else() -> None:
    assert seat_after(given_frames=3, waiting_frames=1).lead_seconds(0.1) == math.inf


def test_frames_that_come_when_their_listener_has_run_dry_are_late_already_and_the_codec_is_not() -> None:
    seat = seat_after(given_frames=5, waiting_frames=0)
    seat.receive(5, frames(12), now_seconds=2.0)
    assert seat.lead_seconds(2.01) == math.inf


def test_frames_that_come_in_time_and_wait_until_their_listener_has_run_dry_are_late_by_the_codec() -> None:
    seat = seat_after(given_frames=5, waiting_frames=0)
    seat.receive(5, frames(2), now_seconds=0.1)
    assert seat.lead_seconds(0.4) == pytest.approx(5 * FRAME_SECONDS - 0.4)
    assert seat.lead_seconds(2.0) == pytest.approx(5 * FRAME_SECONDS - 2.0)


def test_who_was_late_once_excuses_nothing_that_comes_afterwards() -> None:
    seat = seat_after(given_frames=5, waiting_frames=0)
    seat.receive(5, frames(2), now_seconds=2.0)
    seat.receive(7, frames(2), now_seconds=2.1)
    seat.stream.give(seat.stream.take(2), np.zeros(2 * SAMPLES_PER_FRAME, np.float32), 2.2)
    assert seat.lead_seconds(2.3) == pytest.approx(2.2 + 2 * FRAME_SECONDS - 2.3)


def test_frames_that_pile_up_before_a_codec_that_never_catches_up_are_late_by_the_codec() -> None:
    """The listener is dry whenever they come, but would not be if those before them had been decoded."""
    seat = seat_after(given_frames=5, waiting_frames=0)
    for frame in range(5, 30):
        seat.receive(frame, frames(1), now_seconds=frame * FRAME_SECONDS)
    seat.stream.give(seat.stream.take(8), np.zeros(8 * SAMPLES_PER_FRAME, np.float32), 1.5)
    assert seat.lead_seconds(2.5) < 0
