"""Bad input at each door: a sentence with the request id and the right code, never a hang, never a traceback."""

import json
from typing import Any

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.doors.http.http_speech import FIELDS
from swara.v1 import speech_service_pb2 as speech
from swara.v1 import token_service_pb2 as token
from tests.gateway.gateway_process import Doors, close_code, say_over_websocket
from tests.stack.doors import PATIENCE_SECONDS

ANYTHING = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
TEXT = "नमस्ते"
LONG = "क" * 101
BAD_SPEECH: list[tuple[dict[str, Any], str, str | None]] = [
    ({"input": TEXT, "response_format": "ogg"}, "must be one of mp3, opus, aac, flac", "response_format"),
    ({"input": TEXT, "sample_rate": 44_000}, "sample_rate of mp3 must be one of 8000", "sample_rate"),
    ({"input": TEXT, "response_format": "mulaw", "sample_rate": 24_000}, "of mulaw must be one of 8000", "sample_rate"),
    ({"input": TEXT, "response_format": "wav", "speed": 5}, "speed must be between 0.25 and 4", "speed"),
    ({"input": TEXT, "response_format": "wav", "speed": "fast"}, "speed must be a number", "speed"),
    ({"input": TEXT, "response_format": "wav", "stream_format": "sso"}, "audio or sse", "stream_format"),
    ({"input": TEXT, "response_format": "wav", "instructions": 3}, "instructions must be a string", "instructions"),
    ({"input": TEXT, "response_format": "wav", "volume": 3}, "unknown field 'volume'", "volume"),
    ({"response_format": "wav"}, "input is missing", "input"),
    ({"input": " ", "response_format": "wav"}, "the text is empty", None),
    ({"input": LONG, "response_format": "wav"}, "101 characters, the limit is 100", None),
    ({"input": TEXT, "response_format": "wav", "temperature": 9}, "temperature must be between 0 and 2", None),
    ({"input": TEXT, "response_format": "wav", "voice": ["a"]}, "voice must be a string", "voice"),
]


@pytest.mark.parametrize(("body", "words", "param"), BAD_SPEECH)
def test_http_answers_400_with_the_sentence_in_openais_shape(
    lone_gateway: Doors, body: dict[str, Any], words: str, param: str | None
) -> None:
    with lone_gateway.http() as client:
        answer = client.post("/v1/audio/speech", json=body, headers={"x-request-id": "mine-1"})
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["param"]) == (400, "invalid_request_error", param)
    assert words in error["message"]
    assert error["message"].endswith("(request mine-1)")
    assert answer.headers["x-request-id"] == "mine-1"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b'{"input": NaN}'])
def test_http_answers_400_to_a_body_that_is_no_json_object(lone_gateway: Doors, body: bytes) -> None:
    with lone_gateway.http() as client:
        answer = client.post("/v1/audio/speech", content=body)
    assert answer.status_code == 400
    assert answer.headers["x-request-id"] in answer.json()["error"]["message"]


def test_a_field_whose_name_no_answer_can_carry_is_an_unknown_field(lone_gateway: Doors) -> None:
    with lone_gateway.http() as client:
        answer = client.post("/v1/audio/speech", content=rb'{"input": "a", "\ud800x": 3}')
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "?x"
    assert r"unknown field '\ud800x'" in answer.json()["error"]["message"]


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), ANYTHING))
def test_whatever_the_fields_hold_http_answers_with_a_sentence(lone_gateway: Doors, body: dict[str, Any]) -> None:
    with lone_gateway.http() as client:
        answer = client.post("/v1/audio/speech", json=body)
    assert answer.status_code in (400, 503)
    assert answer.json()["error"]["message"]


def test_http_answers_413_to_a_body_over_the_limit(lone_gateway: Doors) -> None:
    with lone_gateway.http() as client:
        answer = client.post("/v1/audio/speech", content=b" " * 100_000)
    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "invalid_request_error")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("GET", "/v1/audio/speech", 405)])
def test_http_says_in_the_same_shape_that_there_is_no_such_thing(
    lone_gateway: Doors, method: str, path: str, status: int
) -> None:
    with lone_gateway.http() as client:
        answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["x-request-id"] in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "request_",
    [
        "", "{", "[]", b"\x00\x01", {}, {"text": ""}, {"text": 5}, {"text": LONG}, {"text": TEXT, "benchmark": 1},
        {"text": TEXT, "seed": -1}, {"text": TEXT, "temperature": 3}, {"text": TEXT, "colour": "red"},
    ],
)  # fmt: skip
def test_a_websocket_says_what_is_wrong_and_closes_with_1008(lone_gateway: Doors, request_: Any) -> None:
    with lone_gateway.websocket() as socket:
        pcm, message = say_over_websocket(socket, request_)
        assert not pcm
        assert message["error"]
        assert message["request_id"]
        assert close_code(socket) == 1008


def test_a_websocket_message_over_the_limit_is_closed_with_1009(lone_gateway: Doors) -> None:
    with lone_gateway.websocket() as socket:
        socket.send(json.dumps({"text": "a" * 100_000}))
        assert close_code(socket) == 1009


def test_a_websocket_takes_the_callers_request_id_for_its_first_request(lone_gateway: Doors) -> None:
    with lone_gateway.websocket({"x-request-id": "mine-2"}) as socket:
        _, message = say_over_websocket(socket, {})
    assert message["request_id"] == "mine-2"


def too_hot() -> speech.Speaker:
    return speech.Speaker(sampling=token.Sampling(temperature=2.5))


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (speech.SynthesizeRequest(), grpc.StatusCode.INVALID_ARGUMENT),
        (speech.SynthesizeRequest(text="  \n"), grpc.StatusCode.INVALID_ARGUMENT),
        (speech.SynthesizeRequest(text=LONG), grpc.StatusCode.INVALID_ARGUMENT),
        (speech.SynthesizeRequest(text=TEXT, speaker=too_hot()), grpc.StatusCode.INVALID_ARGUMENT),
        (speech.SynthesizeRequest(text=TEXT, resume_token=b"x"), grpc.StatusCode.INVALID_ARGUMENT),
        (speech.SynthesizeRequest(resume_token=b"x"), grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
def test_grpc_answers_with_the_code_a_sentence_and_the_request_id(
    lone_gateway: Doors, request_: speech.SynthesizeRequest, code: grpc.StatusCode
) -> None:
    with lone_gateway.stub() as stub, pytest.raises(grpc.RpcError) as caught:
        list(stub.Synthesize(request_, metadata=(("x-request-id", "mine-3"),), timeout=PATIENCE_SECONDS))
    assert caught.value.code() is code
    assert caught.value.details().endswith("(request mine-3)")


def configuration(**fields: object) -> speech.StreamSynthesizeRequest:
    return speech.StreamSynthesizeRequest(configuration=speech.StreamConfiguration(**fields))


def piece(text: str) -> speech.StreamSynthesizeRequest:
    return speech.StreamSynthesizeRequest(text=text)


@pytest.mark.parametrize(
    ("messages", "sentence"),
    [
        ([], "the stream ended before its configuration"),
        ([piece(TEXT)], "the first message must be the configuration, got text"),
        ([speech.StreamSynthesizeRequest()], "the first message must be the configuration, got nothing"),
        ([configuration(speaker=too_hot()), piece(TEXT)], "temperature must be between 0 and 2"),
    ],
)
def test_a_stream_of_text_that_is_wrong_is_told_why(
    lone_gateway: Doors, messages: list[speech.StreamSynthesizeRequest], sentence: str
) -> None:
    with lone_gateway.stub() as stub, pytest.raises(grpc.RpcError, match=sentence) as caught:
        list(stub.StreamSynthesize(iter(messages), metadata=(("x-request-id", "mine-5"),), timeout=PATIENCE_SECONDS))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details().endswith("(request mine-5)")


def test_a_synthesis_that_nobody_speaks_cannot_be_joined(lone_gateway: Doors) -> None:
    with lone_gateway.stub() as stub, pytest.raises(grpc.RpcError, match="no synthesis with this id") as caught:
        list(stub.Listen(speech.ListenRequest(synthesis_id="0123"), timeout=PATIENCE_SECONDS))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_text_of_megabytes_is_refused_with_a_sentence(lone_gateway: Doors) -> None:
    with lone_gateway.stub() as stub, pytest.raises(grpc.RpcError, match="5000000 characters, the limit is") as caught:
        list(stub.Synthesize(speech.SynthesizeRequest(text="a" * 5_000_000), timeout=PATIENCE_SECONDS))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
