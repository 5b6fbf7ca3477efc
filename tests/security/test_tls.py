"""TLS at the public doors and mutual TLS between the services, with an authority made for the test."""

import asyncio
import json
import os
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import grpc
import httpx
import pytest
import trustme
from websockets.sync.client import connect

from gateway.doors.http import renewal
from swara.channel import connect as connect_grpc
from swara.process import ServiceProcess, free_port
from swara.stack import WEIGHTS, Stack
from swara.tls import NAME, Certificate
from swara.v1 import token_service_pb2 as token
from swara.v1 import token_service_pb2_grpc as token_grpc
from swara_client import Client, Tls, Unavailable
from tests.security.keyed import SHORT
from tests.stack.doors import PATIENCE_SECONDS, wait_until

READY_SECONDS = 120.0


class Papers:
    """The files of one certificate."""

    def __init__(self, folder: Path, authority: trustme.CA, name: str) -> None:
        self.certificate = folder / f"{name}.pem"
        self.key = folder / f"{name}.key"
        self.authority = folder / f"{name}.ca"
        self.issue(authority, name)

    def issue(self, authority: trustme.CA, name: str) -> None:
        """Writes a new one, each file replaced at once."""
        issued = authority.issue_cert(name, "127.0.0.1")
        part = self.key.with_suffix(".part")
        for path, pem in (
            (self.key, issued.private_key_pem.bytes()),
            (self.certificate, b"".join(blob.bytes() for blob in issued.cert_chain_pems)),
            (self.authority, authority.cert_pem.bytes()),
        ):
            part.write_bytes(pem)
            os.replace(part, path)

    @property
    def inside(self) -> list[str]:
        """The flags of a service."""
        files = (("cert", self.certificate), ("key", self.key), ("ca", self.authority))
        return [f"--inside-{name}-file={path}" for name, path in files]

    @property
    def public(self) -> list[str]:
        """The flags of a gateway's public doors."""
        return [f"--tls-cert-file={self.certificate}", f"--tls-key-file={self.key}"]


@contextmanager
def running(service: str, *flags: str, said: str) -> Iterator[ServiceProcess]:
    """A service from when it has said so."""
    lines: list[str] = []
    process = ServiceProcess(
        service, [*flags, f"--metrics-port={free_port()}", "--metrics-host=127.0.0.1"], lines.append
    )
    try:
        wait_until(lambda: any(said in line for line in lines) or process.exit_code is not None, READY_SECONDS)
        assert process.exit_code is None, lines
        yield process
        assert not any("Traceback" in line for line in lines), lines
    finally:
        process.end(PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def papers(tmp_path: Path, authority: trustme.CA) -> Papers:
    return Papers(tmp_path, authority, "localhost")


@pytest.fixture
def doors(stack: Stack, papers: Papers) -> Iterator[tuple[str, str]]:
    """gRPC and HTTP address of a gateway whose public doors speak TLS."""
    grpc_address, http_address = (f"localhost:{free_port()}" for _ in range(2))
    flags = (
        f"--address={grpc_address}",
        f"--http-address={http_address.replace('localhost', '127.0.0.1')}",
        f"--audio-address={stack.audio_address}",
        "--access=open",
        *papers.public,
    )
    with running("gateway", *flags, said="gRPC at"):
        yield grpc_address, http_address


def test_every_public_door_speaks_tls_and_gives_the_same_speech(doors: tuple[str, str], papers: Papers) -> None:
    trust = ssl.create_default_context(cafile=str(papers.authority))
    with Client(doors[0], tls=Tls(papers.authority)) as client:
        pcm = client.synthesize(SHORT, seed=5).read().tobytes()
    body = {"input": SHORT, "response_format": "pcm", "seed": 5}
    answer = httpx.post(f"https://{doors[1]}/v1/audio/speech", json=body, verify=trust, timeout=60)
    assert len(answer.content) == len(pcm)
    with connect(f"wss://{doors[1]}/ws/tts", ssl=trust) as socket:
        socket.send(json.dumps({"text": SHORT, "seed": 5}))
        spoken = b""
        while isinstance(message := socket.recv(60), bytes):
            spoken += message
    assert len(spoken) == len(pcm)


def test_a_client_that_does_not_know_the_authority_hangs_up_and_one_in_the_clear_gets_nothing(
    doors: tuple[str, str],
) -> None:
    with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
        httpx.get(f"https://{doors[1]}/healthz")
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://{doors[1]}/healthz")
    for tls in (None, Tls()):
        with Client(doors[0], tls=tls) as client, pytest.raises(Unavailable):
            client.voices(timeout_seconds=PATIENCE_SECONDS)


def serial(address: str) -> bytes:
    """The certificate that a door shows now."""
    host, port = address.split(":")
    return ssl.get_server_certificate((host, int(port)), timeout=READY_SECONDS).encode()


def test_a_renewed_certificate_is_shown_without_a_restart(
    doors: tuple[str, str], papers: Papers, authority: trustme.CA
) -> None:
    before = [serial(address) for address in doors]
    papers.issue(authority, "localhost")
    for address, old in zip(doors, before, strict=True):
        wait_until(lambda address=address, old=old: serial(address) != old, renewal.LOOK_SECONDS + PATIENCE_SECONDS)
    with Client(doors[0], tls=Tls(papers.authority)) as client:
        assert client.voices()


def test_the_services_speak_mutual_tls_with_each_other_and_with_nobody_else(
    tmp_path: Path, authority: trustme.CA
) -> None:
    mine, stranger = Papers(tmp_path, authority, NAME), Papers(tmp_path, trustme.CA(), "stranger.internal")
    tokens, audios, public = (f"127.0.0.1:{free_port()}" for _ in range(3))
    with ExitStack() as opened:
        model, codec = f"--model={WEIGHTS / 'language_model'}", f"--codec={WEIGHTS / 'codec'}"
        start = opened.enter_context
        start(running("token_service", model, f"--address={tokens}", *mine.inside, said="ready on"))
        start(
            running(
                "audio_service",
                codec,
                f"--address={audios}",
                f"--token-address={tokens}",
                *mine.inside,
                said="serving on",
            )
        )
        flags = (f"--address={public}", f"--http-address=127.0.0.1:{free_port()}", "--access=open")
        start(running("gateway", *flags, f"--audio-address={audios}", *mine.inside, said="gRPC at"))
        with Client(public) as client:
            assert len(client.synthesize(SHORT, seed=5).read())
        for address in (tokens, audios):
            assert answers(address, Certificate(mine.certificate, mine.key, mine.authority))
            assert not answers(address, None)
            # It believes our authority, and has a certificate of its own only.
            assert not answers(address, Certificate(stranger.certificate, stranger.key, mine.authority))


def answers(address: str, certificate: Certificate | None) -> bool:
    """Whether a service talks to who has this certificate: any status but that of a failed connection will do."""

    async def ask() -> bool:
        async with connect_grpc(address, certificate) as channel:
            try:
                stub = token_grpc.TokenServiceStub(channel)
                await stub.GetModel(token.GetModelRequest(), timeout=PATIENCE_SECONDS)
            except grpc.aio.AioRpcError as error:
                return error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
            return True

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--tls-cert-file=/nowhere"], "tls_cert_file and tls_key_file are set together"),
        (["--tls-cert-file=/nowhere", "--tls-key-file=/nowhere"], "/nowhere"),
        (["--inside-ca-file=/nowhere"], "are set together or not at all"),
    ],
)
def test_a_gateway_whose_certificate_cannot_be_used_does_not_start(flags: list[str], sentence: str) -> None:
    lines: list[str] = []
    addresses = (f"--address=127.0.0.1:{free_port()}", f"--http-address=127.0.0.1:{free_port()}")
    metrics = f"--metrics-port={free_port()}"
    process = ServiceProcess("gateway", [*addresses, metrics, "--access=open", *flags], lines.append)
    assert process.wait(READY_SECONDS) == 2
    assert sentence in process.last_sentence()
    assert not any("Traceback" in line for line in lines)


@contextmanager
def gateway_among_others(stack: Stack, papers: Papers) -> Iterator[tuple[str, str]]:
    """A gateway that others reach by mutual TLS: its public address and the one for them."""
    public, peers, http_address = (f"127.0.0.1:{free_port()}" for _ in range(3))
    flags = (
        f"--address={public}",
        f"--peer-address={peers}",
        f"--http-address={http_address}",
        f"--audio-address={stack.audio_address}",
        "--access=open",
        f"--resume-key={'6' * 32}",
        *papers.inside,
    )
    with running("gateway", *flags, said="gRPC at"):
        yield public, peers


def test_a_listener_is_passed_on_over_mutual_tls_and_by_no_gateway_of_another_authority(
    stack: Stack, tmp_path: Path, authority: trustme.CA
) -> None:
    mine, stranger = Papers(tmp_path, authority, NAME), tmp_path / "stranger"
    stranger.mkdir()
    theirs = Papers(stranger, trustme.CA(), NAME)
    with ExitStack() as opened:
        start = opened.enter_context
        owner, peers = start(gateway_among_others(stack, mine))
        other, _ = start(gateway_among_others(stack, mine))
        outside, _ = start(gateway_among_others(stack, theirs))
        speaking, listening, shut_out = (start(Client(address)) for address in (owner, other, outside))
        speech = speaking.synthesize(SHORT, seed=5, shareable=True)
        with pytest.raises(Unavailable, match=peers):
            shut_out.listen(speech.started.synthesis_id)
        heard = listening.listen(speech.started.synthesis_id)
        assert heard.read().tobytes() == speech.read().tobytes()
        assert answers(peers, Certificate(mine.certificate, mine.key, mine.authority))
        for certificate in (None, Certificate(theirs.certificate, theirs.key, mine.authority)):
            assert not answers(peers, certificate)
