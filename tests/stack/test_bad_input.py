"""Bad input at each door: a code, a sentence and the request id; never a traceback, never a hang."""

import re

import grpc
import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from swara.stack import Stack
from swara.v1 import (
    audio_service_pb2,
    audio_service_pb2_grpc,
    codes_pb2,
    speech_service_pb2,
    speech_service_pb2_grpc,
    token_service_pb2,
    token_service_pb2_grpc,
)
from tests.stack.doors import DOORS, PATIENCE_SECONDS, SHORT, Asked, Refused, grpc_refusals, pcm_of, until_done, url

INVALID = {
    "grpc": {"INVALID_ARGUMENT"},
    "grpc stream": {"INVALID_ARGUMENT"},
    "http": {400},
    "websocket": {1008},
    "websocket stream": {"invalid", "unknown_name"},
}
TOO_LONG = "क" * 5_001

BAD = {
    "empty text": (Asked(""), "text is empty"),
    "white space": (Asked(" \n\t "), "text is empty"),
    "punctuation alone": (Asked("।।।"), "text is empty"),
    "a text over the limit": (Asked(TOO_LONG), "the text has 5001 characters, the limit is 5000"),
    "an unknown voice": (Asked(SHORT, voice="nobody"), "has no voice 'nobody'; it has "),
    "an unknown model": (Asked(SHORT, model="nothing"), "there is no model 'nothing'; this gateway has "),
    "a temperature out of range": (Asked(SHORT, temperature=2.5), "temperature must be between 0 and 2"),
    "a negative temperature": (Asked(SHORT, temperature=-1), "temperature must be between 0 and 2"),
    "a top_p of zero": (Asked(SHORT, top_p=0.0), "top_p must be between"),
    "a top_k out of range": (Asked(SHORT, top_k=100_000), "top_k must be between"),
    "a repetition penalty out of range": (Asked(SHORT, repetition_penalty=0.5), "repetition_penalty must be between"),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("wrong", BAD)
def test_bad_input_is_refused_with_code_sentence_and_request_id(stack: Stack, door: str, wrong: str) -> None:
    asked, sentence = BAD[wrong]
    with pytest.raises(Refused) as caught:
        pcm_of(DOORS[door](stack, asked))
    refused = caught.value
    assert refused.code in INVALID[door]
    assert re.search(sentence, refused.sentence)
    assert len(refused.sentence.splitlines()) == 1
    assert refused.request_id
    if "websocket" not in door:
        assert refused.request_id in refused.sentence


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"input": "x"', "not JSON"),
        (b"", "not JSON"),
        (b"[1, 2]", "must be a JSON object"),
        (b'{"input": 5, "response_format": "pcm"}', "input must be a string"),
        (b'{"input": "\xff", "response_format": "pcm"}', "not valid UTF-8"),
        (b'{"input": "\\ud800 a", "response_format": "pcm"}', "surrogate"),
        (b'{"input": "a", "response_format": "pcm", "loudness": 3}', "unknown field 'loudness'"),
        (b'{"input": "a", "response_format": "pcm", "temperature": NaN}', "NaN is not a JSON number"),
        (b'{"input": "a", "response_format": "pcm", "seed": -1}', "seed must be between"),
        (b'{"input": "a", "response_format": "mp4"}', "response_format must be one of mp3, opus"),
        (b'{"input": "a", "speed": 9}', "speed must be between 0.25 and 4"),
    ],
)
def test_a_body_that_is_no_request_is_answered_400_with_the_reason(stack: Stack, body: bytes, sentence: str) -> None:
    answer = httpx.post(url(stack), content=body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert sentence in error["message"]
    assert answer.headers["x-request-id"] in error["message"]
    assert error["type"] == "invalid_request_error"


def test_an_oversized_body_is_answered_413(stack: Stack) -> None:
    answer = httpx.post(url(stack), content=b'{"input": "' + b"a" * 200_000 + b'"}')
    assert answer.status_code == 413
    assert "the body is larger than" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("characters", "code", "sentence"),
    [
        (2_000_000, grpc.StatusCode.INVALID_ARGUMENT, "the text has 2000000 characters, the limit is"),
        # Past gRPC's own limit nobody reads the message, so this is gRPC's sentence and there is no request id.
        (8_000_000, grpc.StatusCode.RESOURCE_EXHAUSTED, "larger than max"),
    ],
)
def test_an_oversized_grpc_message_is_refused(
    stack: Stack, characters: int, code: grpc.StatusCode, sentence: str
) -> None:
    with grpc.insecure_channel(stack.gateway_address) as channel:
        call = speech_service_pb2_grpc.SpeechServiceStub(channel).Synthesize(
            speech_service_pb2.SynthesizeRequest(text="क" * characters), timeout=10
        )
        with pytest.raises(grpc.RpcError) as caught:
            next(call)
    assert caught.value.code() == code
    assert sentence in caught.value.details()


@pytest.mark.parametrize(
    ("message", "sentence"),
    [("{", "not JSON"), ("[]", "must be a JSON object"), (b"\x00\x01", "binary message"), ("{}", "text is missing")],
)
def test_a_websocket_message_that_is_no_request_is_told_why_and_the_connection_closed(
    stack: Stack, message: str | bytes, sentence: str
) -> None:
    with connect(f"ws://{stack.http_address}/ws/tts") as socket:
        socket.send(message)
        with pytest.raises(Refused, match=sentence) as caught:
            pcm_of(until_done(socket))
    assert caught.value.code == 1008
    assert caught.value.request_id


def test_an_oversized_websocket_message_closes_the_connection(stack: Stack) -> None:
    with connect(f"ws://{stack.http_address}/ws/tts") as socket:
        # Only the header of a masked text frame of 2,000,000 bytes: the gateway answers at its
        # length. Bytes sent after its answer would make the kernel reset the connection, and the
        # close code could be lost on the way.
        socket.socket.sendall(b"\x81\xff" + (2_000_000).to_bytes(8, "big") + bytes(4))
        with pytest.raises(ConnectionClosed) as caught:
            socket.recv(timeout=PATIENCE_SECONDS)
        assert caught.value.rcvd.code == 1009


@pytest.mark.parametrize(("path", "status"), [("/v1/audio/nothing", 404), ("/", 404)])
def test_a_path_that_does_not_exist_says_so(stack: Stack, path: str, status: int) -> None:
    answer = httpx.get(url(stack, path))
    assert answer.status_code == status
    assert "there is nothing at" in answer.json()["error"]["message"]


def test_a_wrong_method_says_so(stack: Stack) -> None:
    answer = httpx.get(url(stack))
    assert answer.status_code == 405
    assert "not allowed" in answer.json()["error"]["message"]


def test_a_callers_own_request_id_is_kept_if_it_is_sane(stack: Stack) -> None:
    kept = httpx.post(url(stack), json={"input": ""}, headers={"x-request-id": "order-66"})
    assert "order-66" in kept.json()["error"]["message"]
    replaced = httpx.post(url(stack), json={"input": ""}, headers={"x-request-id": "a b; drop"})
    assert "drop" not in replaced.text


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"text": ""}, "text is empty"),
        ({"text": "क" * 10_000}, "characters, the model takes"),
        ({"voice": "nobody"}, "no voice"),
        ({"limits": token_service_pb2.FrameLimits(ignore_end=True)}, "ignore_end needs max_frames"),
        ({"limits": token_service_pb2.FrameLimits(max_frames=100_000)}, "leave room for"),
        ({"resume_frames": codes_pb2.Frames(codes=b"\x00" * 15)}, "whole frames of 14 bytes"),
        ({"resume_frames": codes_pb2.Frames(codes=b"\xff" * 14)}, "outside the codebook"),
        ({"sampling": token_service_pb2.Sampling(top_p=3)}, "top_p must be between"),
        ({"max_lead_seconds": -1.0}, "max_lead_seconds must be 0, for no bound, or at least"),
    ],
)
def test_the_token_service_refuses_what_the_model_cannot_do(
    stack: Stack, changes: dict[str, object], sentence: str
) -> None:
    wanted = token_service_pb2.GenerateRequest(**{"request_id": "bad-input", "text": SHORT, **changes})
    with grpc.insecure_channel(stack.token_address) as channel:
        call = token_service_pb2_grpc.TokenServiceStub(channel).Generate(wanted, timeout=PATIENCE_SECONDS)
        with pytest.raises(Refused, match=sentence) as caught, grpc_refusals(call):
            next(call)
    assert (caught.value.code, caught.value.request_id) == ("INVALID_ARGUMENT", "bad-input")
    assert "bad-input" in caught.value.sentence


CONFIGURED = audio_service_pb2.DecodeRequest(
    configuration=audio_service_pb2.DecodeConfiguration(request_id="bad-input", seed=1)
)


def frames_of(data: bytes, first_frame: int = 0) -> audio_service_pb2.DecodeRequest:
    return audio_service_pb2.DecodeRequest(frames=codes_pb2.Frames(first_frame=first_frame, codes=data))


@pytest.mark.parametrize(
    ("messages", "sentence"),
    [
        ([frames_of(bytes(14))], "configuration"),
        ([CONFIGURED, frames_of(bytes(13))], "whole frames of 14 bytes"),
        ([CONFIGURED, frames_of(b"\xff" * 14)], "outside the codebook"),
        ([CONFIGURED, frames_of(bytes(14)), frames_of(bytes(14), first_frame=5)], "frame"),
        ([CONFIGURED, CONFIGURED], "configuration"),
    ],
)
def test_the_audio_service_refuses_what_is_no_decode(
    stack: Stack, messages: list[audio_service_pb2.DecodeRequest], sentence: str
) -> None:
    with grpc.insecure_channel(stack.audio_address) as channel:
        call = audio_service_pb2_grpc.AudioServiceStub(channel).Decode(iter(messages), timeout=PATIENCE_SECONDS)
        with pytest.raises(Refused, match=sentence) as caught, grpc_refusals(call):
            list(call)
    assert caught.value.code == "INVALID_ARGUMENT"
