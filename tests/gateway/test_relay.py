"""relay.py: what the owner of a synthesis tells of its writer is known at the gateway that passes it on."""

import pytest

from gateway.doors.grpc import messages
from gateway.events import Chunk, Started, Writer
from gateway.sharing import relay
from swara.v1 import speech_service_pb2 as speech

CHUNK = Chunk(0, 0, bytes(200), 0, b"")


class Writing:
    """A writer at the owner, of whom text was last waited for so long ago."""

    may_be_awaited = False

    def __init__(self, since_awaited_seconds: float) -> None:
        self.since_awaited_seconds = since_awaited_seconds


def relayed(writer: Writing | None) -> Writer | None:
    """The writer as the other gateway knows him after one chunk."""
    at_other = relay.DistantWriter()
    started = Started("r", "s", "m", "f", "v", 1, 24_000, writer)
    event = relay._event(messages.response(started, speech.ListenResponse, writer), at_other)
    relay._event(messages.response(CHUNK, speech.ListenResponse, writer), at_other)
    assert isinstance(event, Started)
    return event.writer


@pytest.mark.parametrize("since_seconds", [0.0, 0.5, 30.0])
def test_when_text_was_last_waited_for_is_known_there_too(since_seconds: float) -> None:
    writer = relayed(Writing(since_seconds))
    assert writer
    assert since_seconds - 1e-4 <= writer.since_awaited_seconds < since_seconds + 60.0


def test_a_writer_who_was_never_waited_for_is_not_there_either() -> None:
    writer = relayed(Writing(float("inf")))
    assert writer
    assert writer.since_awaited_seconds == float("inf")


def test_a_text_that_was_there_from_the_start_has_no_writer_there() -> None:
    assert relayed(None) is None
