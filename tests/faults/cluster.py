"""Several replicas of each service on one machine: real processes, real sockets, each ended by its own id."""

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from swara.errors import SetupError
from swara.process import ServiceProcess, free_port, grpc_ready
from swara.stack import WEIGHTS
from swara.v1 import audio_service_pb2, audio_service_pb2_grpc, token_service_pb2, token_service_pb2_grpc
from tests.gateway.metrics_page import counted
from tests.memory import resident_bytes

READY_SECONDS = 180.0
STOP_SECONDS = 60.0
# For what comes true in a moment, where the machine is not busy elsewhere.
PATIENCE_SECONDS = 60.0
# Caches fill and allocators keep what they had: more than this, in one process, is a leak.
GROWTH_BYTES = 30 * 1024 * 1024
# Every gateway of a cluster signs with the same key, so that each can go on with what another began.
RESUME_KEY = "5a" * 32


@dataclass(eq=False)
class Member:
    """One replica: how it is started, where it is, and what it said."""

    service: str
    address: str
    arguments: list[str]
    metrics_port: int = field(default_factory=free_port)
    lines: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    process: ServiceProcess | None = None

    @property
    def flags(self) -> list[str]:
        """All of its command line."""
        metrics = [f"--metrics-port={self.metrics_port}", "--metrics-host=127.0.0.1"]
        return [f"--address={self.address}", *metrics, *self.arguments]

    def start(self) -> None:
        self.process = ServiceProcess(self.service, self.flags, self.lines.append, self.environment)

    @property
    def running(self) -> ServiceProcess:
        assert self.process
        return self.process

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not grpc_ready(self.address):
            if self.running.exit_code is not None or time.monotonic() > deadline:
                raise SetupError(f"{self.service} did not start: {self.lines[-5:]}")
            time.sleep(0.1)

    def kill(self) -> None:
        self.running.kill()

    def freeze(self) -> None:
        os.kill(self.running.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        if self.running.exit_code is None:
            os.kill(self.running.pid, signal.SIGCONT)

    def terminate(self) -> None:
        os.kill(self.running.pid, signal.SIGTERM)

    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.running.pid}/fd"))

    def threads(self) -> int:
        return len(os.listdir(f"/proc/{self.running.pid}/task"))

    def resident_bytes(self) -> int:
        return resident_bytes(self.running.pid)

    def revive(self) -> None:
        """Makes it run again, whatever a test did to it."""
        self.thaw()
        if self.running.exit_code is not None:
            self.start()
            self.wait_until_ready()

    def end(self) -> None:
        if self.process and self.process.exit_code is None:
            self.thaw()
            self.process.end(STOP_SECONDS)


class Cluster:
    """`pairs` of audio and token service, each pair over a Unix socket, and gateways that know all the pairs."""

    def __init__(self, pairs: int = 2, gateways: int = 2) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="swara-")
        self.tokens = [self._token(k) for k in range(pairs)]
        self.audios = [self.audio(f"127.0.0.1:{free_port()}", token) for token in self.tokens]
        self.gateways = [self.gateway([audio.address for audio in self.audios]) for _ in range(gateways)]

    @property
    def members(self) -> list[Member]:
        return [*self.tokens, *self.audios, *self.gateways]

    @property
    def addresses(self) -> list[str]:
        """The gateways', as the SDK takes them."""
        return [gateway.address for gateway in self.gateways]

    def __enter__(self) -> "Cluster":
        try:
            for member in self.members:
                member.start()
            for member in self.members:
                member.wait_until_ready()
            self.wait_until_known()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        for member in reversed(self.members):
            member.end()
        self._folder.cleanup()

    def revive(self) -> None:
        """All replicas as they were, idle."""
        for member in self.members:
            member.revive()
        self.wait_until_known()
        self.wait_until_idle()

    def wait_until_known(self) -> None:
        """Every gateway has seen every audio service serve."""
        serving = 'swara_gateway_audio_replicas{health="serving"}'
        for gateway in self.gateways:
            wait_until(lambda port=gateway.metrics_port: counted(port, serving) == len(self.audios), PATIENCE_SECONDS)

    @property
    def busy(self) -> bool:
        """Whether any stream runs."""
        return any(busy(token) for token in self.tokens)

    def wait_until_idle(self) -> None:
        wait_until(lambda: not self.busy, PATIENCE_SECONDS)

    def places(self) -> int:
        """How many new streams are let in: what one replica of N carries is kept for those that have begun."""
        streams = [capacity_streams(audio) for audio in self.audios]
        return max(1, sum(streams) * (len(streams) - 1) // len(streams))

    def speaking(self) -> int:
        """Which pair speaks now."""
        found: list[int] = []
        wait_until(
            lambda: bool(found.extend(k for k, t in enumerate(self.tokens) if busy(t)) or found), PATIENCE_SECONDS
        )
        return found[0]

    def gateway(self, audio_addresses: Sequence[str], flags: Sequence[str] = ()) -> Member:
        """One more gateway; the caller starts and ends it."""
        arguments = [
            f"--http-address=127.0.0.1:{free_port()}",
            f"--audio-address={','.join(audio_addresses)}",
            f"--resume-key={RESUME_KEY}",
            "--access=open",
            # As fast as it is played: a stream then lasts long enough for a test to do something to it.
            "--max-lead-seconds=1.0",
            *flags,
        ]
        return Member("gateway", f"127.0.0.1:{free_port()}", arguments)

    def audio(self, address: str, token: Member, codec: Path = WEIGHTS / "codec") -> Member:
        """One more audio service; the caller starts and ends it."""
        arguments = [f"--codec={codec}", f"--token-address={token.address}", "--grace-seconds=1"]
        return Member("audio_service", address, arguments)

    def _token(self, number: int) -> Member:
        arguments = [f"--model={WEIGHTS / 'language_model'}", "--grace-seconds=1"]
        return Member("token_service", f"unix:{self._folder.name}/token{number}.sock", arguments)


@contextmanager
def running(*members: Member) -> Iterator[None]:
    """Members beside a cluster's own, ended with the block."""
    try:
        for member in members:
            member.start()
        for member in members:
            member.wait_until_ready()
        yield
    finally:
        for member in reversed(members):
            member.end()


def capacity_streams(audio: Member) -> int:
    """How many streams an audio service and the token service behind it carry."""
    with grpc.insecure_channel(audio.address) as channel:
        stub = audio_service_pb2_grpc.AudioServiceStub(channel)
        answer = stub.GetLoad(audio_service_pb2.AudioServiceGetLoadRequest(), timeout=PATIENCE_SECONDS)
    return min(answer.audio.capacity_streams, answer.token.capacity_streams)


def load(token: Member) -> token_service_pb2.Load:
    """How busy a token service is."""
    with grpc.insecure_channel(token.address) as channel:
        stub = token_service_pb2_grpc.TokenServiceStub(channel)
        return stub.GetLoad(token_service_pb2.GetLoadRequest(), timeout=PATIENCE_SECONDS).load


def busy(token: Member) -> bool:
    return load(token).running_streams > 0


def wait_until(holds: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"did not come true within {seconds:g} s"
        time.sleep(0.02)
