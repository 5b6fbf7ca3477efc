"""Every door asks for an API key, says how it is shown, and keeps to what the key may use."""

import json
import os
import socket as socket_module
from pathlib import Path
from typing import Any

import grpc
import openai
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from gateway.access.account import KeyLimits
from gateway.keys import entry_line, new_key
from swara.v1 import speech_service_pb2 as speech
from swara_client import Client, Full, NotFound, RateLimited, Unauthenticated
from swara_client.access import KeyedStub
from tests.gateway.gateway_process import gateway_alone
from tests.security.keyed import SHORT, Keyed, spoken
from tests.stack.doors import PATIENCE_SECONDS, wait_until

WRONG = new_key()
wrong_keys = pytest.mark.parametrize("key", ["", WRONG], ids=["no key", "a wrong key"])
CALLS: dict[str, Any] = {
    "Synthesize": spoken(),
    "StreamSynthesize": iter([speech.StreamSynthesizeRequest(configuration={})]),
    "Listen": speech.ListenRequest(synthesis_id="x"),
    "ListVoices": speech.ListVoicesRequest(),
}
ROUTES = (("POST", "/v1/audio/speech"), ("GET", "/v1/audio/voices"), ("GET", "/v1/models"))
SOCKETS = ("/ws/tts", "/ws/stream")


def closing(socket: ClientConnection) -> tuple[dict[str, Any], int]:
    """The last message of a connection and its close code."""
    message = json.loads(socket.recv(PATIENCE_SECONDS))
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(PATIENCE_SECONDS)
    assert closed.value.rcvd
    return message, closed.value.rcvd.code


@wrong_keys
@pytest.mark.parametrize("call", CALLS)
def test_grpc_says_unauthenticated(keyed: Keyed, call: str, key: str) -> None:
    with pytest.raises(grpc.RpcError) as error:
        keyed.grpc(call, CALLS[call], key)
    assert error.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert "API key" in error.value.details()
    assert WRONG not in error.value.details()


@wrong_keys
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_http_says_401_in_openais_shape(keyed: Keyed, method: str, path: str, key: str) -> None:
    answer = keyed.http(method, path, key, json={"input": SHORT} if method == "POST" else None)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_api_key")
    assert WRONG not in answer.text


@wrong_keys
@pytest.mark.parametrize("path", SOCKETS)
def test_a_websocket_is_told_why_and_closed_with_1008(keyed: Keyed, path: str, key: str) -> None:
    with keyed.websocket(path, key) as socket:
        message, code = closing(socket)
    assert code == 1008
    assert message["code"] == "invalid_api_key"
    assert WRONG not in json.dumps(message)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/openapi.json", "/test"])
def test_what_probes_and_the_page_need_is_for_everybody(keyed: Keyed, path: str) -> None:
    assert keyed.http("GET", path, "").status_code == 200


def test_every_door_speaks_the_same_with_a_key(keyed: Keyed) -> None:
    key = keyed.keys["mine"]
    with Client(keyed.doors.grpc_address, api_key=key) as client:
        pcm = client.synthesize(SHORT, seed=5).read().tobytes()
        assert client.voices()
    assert len(keyed.say(key, seed=5).content) == len(pcm)
    assert len(websocket_pcm(keyed.websocket("/ws/tts", key))) == len(pcm)
    api = openai.OpenAI(base_url=f"http://{keyed.doors.http_address}/v1", api_key=key, max_retries=0)
    spoken_by_openai = api.audio.speech.create(
        model=api.models.list().data[0].id, voice="", input=SHORT, response_format="pcm", extra_body={"seed": 5}
    )
    assert len(spoken_by_openai.content) == len(pcm)


def websocket_pcm(socket: ClientConnection) -> bytes:
    with socket:
        socket.send(json.dumps({"text": SHORT, "seed": 5}))
        pcm = b""
        while isinstance(message := socket.recv(PATIENCE_SECONDS), bytes):
            pcm += message
        assert json.loads(message)["done"]
        return pcm


@pytest.mark.parametrize("path", SOCKETS)
def test_a_browser_shows_its_key_as_a_subprotocol_which_is_not_answered(keyed: Keyed, path: str) -> None:
    offered = ["swara", f"swara.key.{keyed.keys['mine']}"]
    with keyed.websocket(path, subprotocols=offered) as socket:
        assert socket.subprotocol == "swara"
        socket.send("{}")
        assert "invalid_api_key" not in socket.recv(PATIENCE_SECONDS)


def test_the_official_client_raises_its_own_errors(keyed: Keyed) -> None:
    api = openai.OpenAI(base_url=f"http://{keyed.doors.http_address}/v1", api_key=WRONG, max_retries=0)
    with pytest.raises(openai.AuthenticationError):
        api.audio.speech.create(model="", voice="", input=SHORT)


def test_the_sdk_raises_unauthenticated_and_takes_its_key_from_the_environment(
    keyed: Keyed, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Client(keyed.doors.grpc_address) as client, pytest.raises(Unauthenticated):
        client.synthesize(SHORT)
    monkeypatch.setenv("SWARA_API_KEY", keyed.keys["mine"])
    with Client(keyed.doors.grpc_address) as client:
        assert client.voices()


def test_grpc_tells_a_key_past_its_limit_when_to_come_back(keyed: Keyed) -> None:
    key = keyed.keys["grpc"]
    keyed.grpc("Synthesize", spoken(), key)
    with pytest.raises(grpc.RpcError) as error:
        keyed.grpc("Synthesize", spoken(), key)
    assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    info = error_details_pb2.RetryInfo()
    assert rpc_status.from_call(error.value).details[0].Unpack(info)
    assert 0 < info.retry_delay.seconds <= 60
    with Client(keyed.doors.grpc_address, api_key=key) as client, pytest.raises(RateLimited) as limited:
        client.synthesize(SHORT)
    assert isinstance(limited.value, Full)
    assert limited.value.retry_after_seconds > 0


def test_http_tells_a_key_past_its_limit_when_to_come_back(keyed: Keyed) -> None:
    key = keyed.keys["http"]
    assert keyed.say(key).status_code == 200
    answer = keyed.say(key)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert answer.json()["error"]["code"] == "rate_limit_exceeded"


def test_a_websocket_past_its_limit_is_told_and_closed_with_1013(keyed: Keyed) -> None:
    key = keyed.keys["websocket"]
    websocket_pcm(keyed.websocket("/ws/tts", key))
    with keyed.websocket("/ws/tts", key) as socket:
        socket.send(json.dumps({"text": SHORT}))
        message, code = closing(socket)
    assert code == 1013
    assert message["code"] == "rate_limit_exceeded"
    assert message["retry_after_seconds"] > 0


def test_a_context_past_its_limit_ends_and_its_connection_goes_on(keyed: Keyed) -> None:
    with keyed.websocket("/ws/stream", keyed.keys["context"]) as socket:
        socket.send(json.dumps({"context_id": "a", "text": SHORT}))
        while json.loads(said := socket.recv(PATIENCE_SECONDS))["type"] != "done":
            pass
        socket.send(json.dumps({"context_id": "b", "text": SHORT}))
        said = json.loads(socket.recv(PATIENCE_SECONDS))
        assert (said["type"], said["context_id"], said["code"]) == ("error", "b", "rate_limit_exceeded")


def test_what_is_shared_is_shared_with_the_same_key_only(keyed: Keyed) -> None:
    mine, other = (Client(keyed.doors.grpc_address, api_key=keyed.keys[name]) for name in ("mine", "other"))
    with mine, other:
        shared = mine.synthesize(SHORT, seed=3, shareable=True)
        with mine.listen(shared.started.synthesis_id) as joined:
            assert joined.read().tobytes() == shared.read().tobytes()
        with pytest.raises(NotFound):
            other.listen(shared.started.synthesis_id)


def test_the_same_holds_through_another_gateway(keyed: Keyed) -> None:
    flags = ("--access=keys", f"--key-file={keyed.keys_path}", "--resume-key=" + "7" * 32)
    with gateway_alone(*flags) as (relay, _):
        mine = Client(keyed.doors.grpc_address, api_key=keyed.keys["mine"])
        near, foreign = (Client(relay.grpc_address, api_key=keyed.keys[name]) for name in ("mine", "other"))
        with mine, near, foreign:
            shared = mine.synthesize(SHORT, seed=3, shareable=True)
            with near.listen(shared.started.synthesis_id) as joined:
                assert joined.read().tobytes() == shared.read().tobytes()
            with pytest.raises(NotFound):
                foreign.listen(shared.started.synthesis_id)


def record_of(keyed: Keyed, request_id: str) -> dict[str, Any]:
    """The usage record of a request."""
    wait_until(lambda: any(record["request_id"] == request_id for record in keyed.usage()), PATIENCE_SECONDS)
    return next(record for record in keyed.usage() if record["request_id"] == request_id)


def test_who_only_says_that_a_gateway_passed_it_on_is_recorded_as_a_listener(keyed: Keyed) -> None:
    flags = ("--access=keys", f"--key-file={keyed.keys_path}", "--resume-key=" + "7" * 32)
    key = keyed.keys["mine"]
    with gateway_alone(*flags) as (relay, _), Client(keyed.doors.grpc_address, api_key=key) as mine:
        shared = mine.synthesize(SHORT, seed=3, shareable=True)
        asked = speech.ListenRequest(synthesis_id=shared.started.synthesis_id)
        for doors, name, claimed, kind in (
            (keyed.doors, "claimed-1", "1", "listen"),
            (keyed.doors, "claimed-2", "0" * 64, "listen"),
            (relay, "passed-on", "", "relay"),
        ):
            told = {"authorization": f"Bearer {key}", "x-request-id": name, "swara-relayed": claimed}
            with doors.stub() as stub:
                list(stub.Listen(asked, metadata=tuple(told.items()), timeout=60))
            assert record_of(keyed, name)["kind"] == kind


def test_what_one_key_began_no_other_goes_on_with(keyed: Keyed) -> None:
    with Client(keyed.doors.grpc_address, api_key=keyed.keys["mine"], resume=True) as mine:
        begun = mine.synthesize(SHORT, seed=3)
        next(begun)
        rest = speech.SynthesizeRequest(resume_token=begun.resume_token)
    with grpc.insecure_channel(keyed.doors.grpc_address) as channel:
        with pytest.raises(grpc.RpcError, match="another API key") as caught:
            next(KeyedStub(channel, keyed.keys["other"]).Synthesize(rest, timeout=60))
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert next(KeyedStub(channel, keyed.keys["mine"]).Synthesize(rest, timeout=60)).HasField("started")


def test_each_use_of_a_resume_token_speaks_the_same_rest_and_is_on_the_record_of_its_key(keyed: Keyed) -> None:
    key = keyed.keys["mine"]
    with Client(keyed.doors.grpc_address, api_key=key, resume=True) as mine:
        begun = mine.synthesize(SHORT, seed=3)
        heard = next(begun)
        rest = speech.SynthesizeRequest(resume_token=begun.resume_token)
        whole = heard.tobytes() + begun.read().tobytes()
    for name in ("rest-1", "rest-2"):
        told = (("authorization", f"Bearer {key}"), ("x-request-id", name))
        with keyed.doors.stub() as stub:
            pcm = b"".join(answer.chunk.pcm for answer in stub.Synthesize(rest, metadata=told, timeout=60))
        assert len(heard.tobytes() + pcm) == len(whole)
        record = record_of(keyed, name)
        assert (record["key"], record["kind"], record["characters"]) == ("mine", "speech", 0)
        assert record["audio_seconds"] == pytest.approx(len(pcm) / 48_000, abs=0.01)


def replace(path: Path, text: str) -> None:
    """A new file in the place of the old one: nobody reads half of it."""
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def test_a_key_that_is_taken_out_opens_nothing_new_a_second_later_on_an_open_connection(keyed: Keyed) -> None:
    key, before = new_key(), keyed.keys_path.read_text(encoding="utf-8")
    replace(keyed.keys_path, f"{before}\n{entry_line('guest', key, KeyLimits())}\n")
    wait_until(lambda: keyed.http("GET", "/v1/models", key).status_code == 200, PATIENCE_SECONDS)
    with keyed.websocket("/ws/tts", key) as socket:
        replace(keyed.keys_path, before)
        wait_until(lambda: keyed.http("GET", "/v1/models", key).status_code == 401, PATIENCE_SECONDS)
        socket.send(json.dumps({"text": SHORT}))
        message, code = closing(socket)
    assert (message["code"], code) == ("invalid_api_key", 1008)


def test_each_speech_leaves_one_record_and_counts_for_its_key(keyed: Keyed) -> None:
    answer = keyed.say(keyed.keys["mine"], seed=5)
    name = answer.headers["x-request-id"]
    wait_until(lambda: any(record["request_id"] == name for record in keyed.usage()), PATIENCE_SECONDS)
    (record,) = [record for record in keyed.usage() if record["request_id"] == name]
    assert record["key"] == "mine"
    assert (record["door"], record["kind"], record["outcome"]) == ("http", "speech", "finished")
    assert record["characters"] == len(SHORT)
    assert record["audio_seconds"] == pytest.approx(len(answer.content) / 48_000, abs=0.001)
    assert 'swara_gateway_key_audio_seconds_total{key="mine"}' in keyed.doors.metrics()


def closed(keyed: Keyed) -> int:
    """How many streams the log calls closed."""
    return sum("stream closed" in line for line in keyed.doors.lines)


def test_neither_key_nor_text_is_in_the_log_of_a_whole_run(keyed: Keyed) -> None:
    secret, closed_before = "गोपनीय बात किसी से मत कहना।", closed(keyed)
    assert keyed.say(keyed.keys["mine"], secret).status_code == 200
    assert keyed.say(WRONG, secret).status_code == 401
    websocket_pcm(keyed.websocket("/ws/tts", keyed.keys["mine"]))
    wait_until(lambda: closed(keyed) >= closed_before + 2, PATIENCE_SECONDS)
    log = "\n".join(keyed.doors.lines) + keyed.usage_path.read_text(encoding="utf-8")
    assert "stream opened at http with key mine" in log
    for hidden in (*keyed.keys.values(), WRONG, secret, SHORT, "गोपनीय"):
        assert hidden not in log
    assert "Traceback" not in log


@pytest.mark.parametrize("path", SOCKETS)
def test_a_page_of_another_origin_gets_no_websocket(keyed: Keyed, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        keyed.websocket(path, keyed.keys["mine"], origin="https://evil.example")
    assert refused.value.response.status_code == 403


def test_pages_of_this_server_and_of_allowed_origins_may_speak(keyed: Keyed) -> None:
    for origin in (f"http://{keyed.doors.http_address}", "https://shop.example"):
        with keyed.websocket("/ws/tts", keyed.keys["mine"], origin=origin) as socket:
            socket.send("{}")
            assert "text" in socket.recv(PATIENCE_SECONDS)


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://evil.example", 403), ("null", 403), ("http://[", 403), ("https://shop.example", 200)],
)
def test_cross_origin_requests_are_for_allowed_origins(keyed: Keyed, origin: str, status: int) -> None:
    asked = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
    }
    preflight = keyed.http("OPTIONS", "/v1/audio/speech", "", headers=asked)
    assert preflight.status_code == status
    answer = keyed.http("GET", "/v1/models", keyed.keys["mine"], headers={"origin": origin})
    assert answer.status_code == status
    assert answer.headers.get("access-control-allow-origin") == (origin if status == 200 else None)


def test_keys_are_checked_before_the_body_is_read(keyed: Keyed) -> None:
    host, port = keyed.doors.http_address.split(":")
    with socket_module.create_connection((host, int(port)), timeout=PATIENCE_SECONDS) as connection:
        connection.send(b"POST /v1/audio/speech HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 401")
