"""Killing any one of the three processes mid-stream gives the client a clear error within 2 s."""

import time

import pytest

from swara.stack import Stack
from swara_client import Client, Unavailable
from tests.stack.doors import DOORS, LONG, SHORT, Asked, Refused, pcm_of

NOTICED_SECONDS = 2.0
# What a door may say; HTTP's status line has gone out already, so all it can do is break off the body.
SAID = {
    "grpc": "UNAVAILABLE",
    "grpc stream": "UNAVAILABLE",
    "http": "incomplete",
    "websocket": 1012,
    "websocket stream": "unavailable",
}


@pytest.mark.parametrize("service", ["token_service", "audio_service"])
def test_a_service_killed_behind_the_gateway_is_reported_at_every_door_and_used_again_when_it_is_back(
    fresh_stack: Stack, service: str
) -> None:
    for name, door in DOORS.items():
        stream = door(fresh_stack, Asked(LONG))
        next(stream)
        fresh_stack.services[service].kill()
        began = time.monotonic()
        with pytest.raises(Refused) as caught:
            list(stream)
        assert time.monotonic() - began < NOTICED_SECONDS
        assert caught.value.code == SAID[name]
        assert name == "http" or service.replace("_", " ") in caught.value.sentence
        assert caught.value.request_id
        fresh_stack.restart(service)
    assert pcm_of(DOORS["grpc"](fresh_stack, Asked(SHORT)))


def test_a_gateway_that_is_killed_is_a_clear_error_in_the_client(fresh_stack: Stack) -> None:
    with Client(fresh_stack.gateway_address) as client, client.synthesize(LONG) as speech:
        next(speech)
        fresh_stack.services["gateway"].kill()
        began = time.monotonic()
        with pytest.raises(Unavailable, match="went away or cannot be reached") as caught:
            speech.read()
        assert time.monotonic() - began < NOTICED_SECONDS
        assert caught.value.request_id == speech.started.request_id
