"""A gRPC message that is none is refused with a sentence, at every method, and leaves no traceback."""

import grpc
import pytest

from swara_client import Client, Unavailable
from tests.gateway.gateway_process import Doors, gateway_alone

METHODS = (
    "swara.v1.SpeechService/Synthesize",
    "swara.v1.SpeechService/StreamSynthesize",
    "swara.v1.SpeechService/Listen",
    "swara.v1.SpeechService/ListVoices",
    "grpc.health.v1.Health/Check",
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
)


def refusal(doors: Doors, method: str) -> grpc.RpcError:
    with grpc.insecure_channel(doors.grpc_address) as channel:
        with pytest.raises(grpc.RpcError) as error:
            list(channel.stream_stream(f"/{method}")(iter([b"\xff" * 20]), timeout=10))
        return error.value


def test_every_method_says_invalid_argument() -> None:
    with gateway_alone() as (doors, _):
        for method in METHODS:
            error = refusal(doors, method)
            assert error.code() is grpc.StatusCode.INVALID_ARGUMENT, method
            assert f"a message to /{method} cannot be read" in error.details()
        with Client(doors.grpc_address) as client, pytest.raises(Unavailable):
            client.voices()
        assert not any("Traceback" in line or "ERROR" in line for line in doors.lines), doors.lines
