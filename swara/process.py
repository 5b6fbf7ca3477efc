"""A service as a process of this machine: started by module name, watched, ended by its id."""

import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

# Enough to hold a traceback; what a service said last is on the last line.
KEPT_LINES = 100
PROBE_SECONDS = 2.0

# Who asks for several ports listens on them later; until then the system would give out the same one again.
_given_ports: set[int] = set()


class Stopped(Exception):
    """SIGTERM came."""


def to_stderr(line: str) -> None:
    """Shows one log line; the services put time and name in front of theirs."""
    print(line, file=sys.stderr, flush=True)


class ServiceProcess:
    """One service in an interpreter of its own; every line it says goes to `sink`.

    `environment` is added to that of this process.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        sink: Callable[[str], None],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [sys.executable, "-m", name, *arguments],
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
            # Ctrl-C in a terminal goes to the whole group; in groups of their own the services are ended in order.
            process_group=0,
        )
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._reader = threading.Thread(target=self._read, args=(sink,), name=f"log of {name}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.poll()

    def last_sentence(self) -> str:
        """The last line it said; empty if it said nothing."""
        if self.exit_code is not None:
            self._reader.join(timeout=1.0)
        return next((line.strip() for line in reversed(self._lines) if line.strip()), "")

    def wait(self, seconds: float) -> int:
        """Waits for its end; raises TimeoutError."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.name} still runs after {seconds:g} s") from None

    def kill(self) -> None:
        """SIGKILL: what a crash looks like from outside."""
        self._process.kill()
        self._process.wait()

    def end(self, seconds: float) -> None:
        """SIGTERM, a bounded wait, then SIGKILL."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self.wait(seconds)
        except TimeoutError:
            self.kill()
        self._reader.join(timeout=1.0)

    def _read(self, sink: Callable[[str], None]) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._lines.append(line)
            # Whoever read them may be gone; a service whose lines nobody takes would hang.
            with suppress(OSError):
                sink(line.rstrip("\n"))


def free_port() -> int:
    """A TCP port of this machine that nobody listens on now; no two calls of a process get the same one."""
    while (port := _unused_port()) in _given_ports:
        continue
    _given_ports.add(port)
    return port


def _unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def grpc_ready(address: str) -> bool:
    """Whether the gRPC server at `address` says that it is serving."""
    with grpc.insecure_channel(address) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=PROBE_SECONDS)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def http_ready(address: str) -> bool:
    """Whether the gateway at `address` answers /readyz with 200."""
    try:
        with urllib.request.urlopen(f"http://{address}/readyz", timeout=PROBE_SECONDS) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
