"""Nobody holds a connection by saying little: slow, silent, half-open and oversized callers are hung up on."""

import json
import socket
import ssl
import time
from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from gateway.doors.http.patient_http import HEAD_SECONDS
from tests.gateway.gateway_process import Doors, gateway_alone

IDLE_SECONDS = 2
BODY_SECONDS = 10
GRPC_HANDSHAKE_SECONDS = 10
MARGIN_SECONDS = 5
pytestmark = pytest.mark.patience
REQUEST = b"POST /v1/audio/speech HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"


@pytest.fixture(scope="module")
def gateway() -> Iterator[Doors]:
    """Nobody behind it; idle WebSockets end soon."""
    with gateway_alone(f"--idle-seconds={IDLE_SECONDS}", "--max-text-characters=100") as (doors, _):
        yield doors
        assert not any("Traceback" in line for line in doors.lines), doors.lines


def dial(address: str) -> socket.socket:
    host, port = address.split(":")
    return socket.create_connection((host, int(port)), timeout=1)


def seconds_until_closed(connection: socket.socket, drip: bytes, limit_seconds: float) -> float:
    """Sends a byte of `drip` a second until the other side hangs up; fails where it does not."""
    began, left = time.monotonic(), iter(drip)
    while time.monotonic() - began < limit_seconds:
        try:
            if (byte := next(left, None)) is not None:
                connection.send(bytes([byte]))
            if connection.recv(65_536) == b"":
                return time.monotonic() - began
        except TimeoutError:
            continue
        except OSError:
            return time.monotonic() - began
    pytest.fail(f"still open after {limit_seconds:g} s")


def test_who_says_nothing_or_drips_headers_is_hung_up_on_and_others_are_served_meanwhile(gateway: Doors) -> None:
    silent, dripping = dial(gateway.http_address), dial(gateway.http_address)
    with silent, dripping, gateway.http() as client:
        dripping.send(b"GET /healthz HTTP/1.1\r\nx-slow: ")
        took = seconds_until_closed(dripping, b"a" * 100, HEAD_SECONDS + MARGIN_SECONDS)
        assert took > HEAD_SECONDS - 1
        assert client.get("/healthz").status_code == 200
        seconds_until_closed(silent, b"", MARGIN_SECONDS)


def test_a_second_request_that_drips_is_hung_up_on_too(gateway: Doors) -> None:
    with dial(gateway.http_address) as connection:
        connection.send(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert b"200" in connection.recv(1000)
        seconds_until_closed(connection, b"GET /healthz HTTP/1.1\r\n" + b"a" * 100, HEAD_SECONDS + MARGIN_SECONDS)


def test_a_body_that_drips_is_answered_with_a_sentence_and_then_hung_up_on(gateway: Doors) -> None:
    with dial(gateway.http_address) as connection:
        connection.send(REQUEST + b"content-length: 1000\r\n\r\n")
        began, answer = time.monotonic(), b""
        while b"did not arrive" not in answer:
            assert time.monotonic() - began < BODY_SECONDS + MARGIN_SECONDS, answer
            try:
                connection.send(b" ")
                answer += connection.recv(65_536)
            except TimeoutError:
                continue
        assert b"400" in answer.splitlines()[0]
        seconds_until_closed(connection, b" " * 100, HEAD_SECONDS + MARGIN_SECONDS)


def test_a_grpc_connection_that_says_nothing_is_hung_up_on(gateway: Doors) -> None:
    with dial(gateway.grpc_address) as connection:
        seconds_until_closed(connection, b"", GRPC_HANDSHAKE_SECONDS + MARGIN_SECONDS)


def test_headers_that_never_end_are_refused_at_once(gateway: Doors) -> None:
    with dial(gateway.http_address) as connection:
        connection.settimeout(5)
        connection.send(b"GET / HTTP/1.1\r\nx: " + b"a" * 200_000)
        assert b"400" in connection.recv(1000)


@pytest.mark.parametrize("length", [b"content-length: 99999999\r\n\r\n", b"transfer-encoding: chunked\r\n\r\n"])
def test_a_body_larger_than_any_request_is_refused(gateway: Doors, length: bytes) -> None:
    with dial(gateway.http_address) as connection:
        connection.settimeout(5)
        connection.send(REQUEST + length)
        try:
            for _ in range(100):
                connection.send(b"2000\r\n" + b" " * 0x2000 + b"\r\n")
        except OSError:
            pass
        assert b"413" in connection.recv(1000)


@pytest.mark.parametrize("path", ["/ws/tts", "/ws/stream"])
def test_a_websocket_on_which_nothing_is_said_is_closed_with_1001_and_the_reason(gateway: Doors, path: str) -> None:
    with connect(f"ws://{gateway.http_address}{path}", close_timeout=1) as idle:
        began = time.monotonic()
        with pytest.raises(ConnectionClosed) as closed:
            idle.recv(IDLE_SECONDS + MARGIN_SECONDS)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1001, "nothing was said for 2 s")
        assert time.monotonic() - began > IDLE_SECONDS - 0.5


def test_a_websocket_that_says_something_now_and_then_stays_open(gateway: Doors) -> None:
    with connect(f"ws://{gateway.http_address}/ws/stream", close_timeout=1) as busy:
        for _ in range(4):
            time.sleep(IDLE_SECONDS / 2)
            busy.send(json.dumps({"context_id": "a", "cancel": True}))
            assert json.loads(busy.recv(5))["code"] == "not_found"


@pytest.mark.parametrize("path", ["/ws/tts", "/ws/stream"])
def test_a_message_larger_than_any_request_ends_its_websocket_with_1009(gateway: Doors, path: str) -> None:
    with connect(f"ws://{gateway.http_address}{path}", close_timeout=1) as large:
        large.send("a" * 100_000)
        with pytest.raises(ConnectionClosed) as closed:
            large.recv(5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


def test_a_half_open_websocket_is_closed(gateway: Doors) -> None:
    """Its host answers no ping and no close; the idle limit ends it before the ping's."""
    with dial(gateway.http_address) as connection:
        connection.send(
            b"GET /ws/stream HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert b"101" in connection.recv(1000)
        # After its close frame the gateway waits ten seconds for the other's.
        seconds_until_closed(connection, b"", IDLE_SECONDS + 10 + MARGIN_SECONDS)


def test_garbage_at_the_doors_ends_the_connection_and_leaves_no_traceback(gateway: Doors) -> None:
    for address in (gateway.http_address, gateway.grpc_address):
        for garbage in (
            b"\0" * 1000,
            b"\xff" * 1000,
            b"\x16\x03\x01\x02\x00" * 50,
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ):
            with dial(address) as connection:
                connection.send(garbage)
    assert httpx.get(f"http://{gateway.http_address}/healthz").status_code == 200


def test_more_connections_than_there_may_be_are_told_503() -> None:
    with gateway_alone("--max-connections=5") as (doors, _):
        held = [dial(doors.http_address) for _ in range(8)]
        assert httpx.get(f"http://{doors.http_address}/healthz").status_code == 503
        for connection in held:
            connection.close()
        time.sleep(0.2)
        assert httpx.get(f"http://{doors.http_address}/healthz").status_code == 200


def test_a_tls_handshake_at_a_door_in_the_clear_fails_and_nothing_else_does(gateway: Doors) -> None:
    with dial(gateway.http_address) as connection, pytest.raises((ssl.SSLError, ConnectionError)):
        ssl.create_default_context().wrap_socket(connection, server_hostname="localhost")
    assert httpx.get(f"http://{gateway.http_address}/healthz").status_code == 200
