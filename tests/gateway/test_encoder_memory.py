"""encoders: a stream takes the same memory at its second minute as at its first, and leaves none behind."""

import pytest

from gateway.encoders import FORMATS, Output
from tests.gateway.formats import RATE_HZ, voice
from tests.memory import resident_bytes

# What an allocator may keep for itself; a second of PCM a second would be ten times as much.
SLACK_BYTES = 600_000
FRAME_BYTES = 2 * 2048


def encode_seconds(output: Output, seconds: int) -> int:
    """Encodes that much and returns how much memory it took beyond the first quarter."""
    encoder = output.open(RATE_HZ)
    second = voice(1)
    for at in range(seconds):
        if at == seconds // 4:
            began_bytes = resident_bytes()
        for start in range(0, len(second), FRAME_BYTES):
            encoder.encode(second[start : start + FRAME_BYTES])
    return resident_bytes() - began_bytes


@pytest.mark.parametrize("name", FORMATS)
def test_a_stream_of_two_minutes_takes_no_more_memory_than_its_first_half_minute(name: str) -> None:
    assert encode_seconds(Output(name), 120) < SLACK_BYTES


def test_another_rate_and_speed_take_no_more_memory_as_they_go() -> None:
    assert encode_seconds(Output("pcm", 16_000, 1.5), 120) < SLACK_BYTES


@pytest.mark.parametrize("name", FORMATS)
def test_streams_that_are_dropped_leave_no_memory_behind(name: str) -> None:
    second = voice(1)
    for count in range(200):
        if count == 50:
            began_bytes = resident_bytes()
        Output(name, speed=1.2).open(RATE_HZ).encode(second[:FRAME_BYTES])
    assert resident_bytes() - began_bytes < SLACK_BYTES
