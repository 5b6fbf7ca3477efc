"""A seat: what its listener holds, as far as that tells whether the codec is too slow."""

import asyncio
import math

import numpy as np
import pytest

from audio_service.seat import Seat
from audio_service.stream import Delays, Stream, Voicing
from swara.frames import FRAME_SECONDS, SAMPLES_PER_FRAME, no_codes


def seat_after(given_frames: int, waiting_frames: int) -> Seat:
    """One whose listener got so many frames at second 0, one after the other, while so many more wait."""
    seat = Seat(Stream(Voicing(0), Delays(0, 0)), 0, (), asyncio.Event())
    frames = given_frames + waiting_frames
    seat.stream.feed(0, np.zeros((frames, no_codes().shape[1]), np.uint16))
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
