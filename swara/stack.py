"""The whole stack on one machine: three real processes, ready together, ended in order. `python -m swara.stack` serves.

It imports no service: it runs them by module name, as an operator would. Between them they speak over Unix sockets.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from swara.errors import SetupError
from swara.process import ServiceProcess, Stopped, free_port, grpc_ready, http_ready, to_stderr

WEIGHTS = Path(__file__).resolve().parent.parent / "demo_model" / "weights"
GATEWAY_ADDRESS = "127.0.0.1:50051"
HTTP_ADDRESS = "127.0.0.1:8080"
# The token service measures how many streams this machine carries: nothing else may be loading meanwhile.
START_ORDER = (("token_service",), ("audio_service", "gateway"))
# Gateway, audio, token.
METRICS_PORTS = (9101, 9102, 9103)
# Loading a model of some gigabytes from a cold disk takes a minute.
READY_SECONDS = 180.0
# A service drains for 10 s by default; what lives longer is stuck.
STOP_SECONDS = 15.0
POLL_SECONDS = 0.1


class Stack:
    """Three services that live and end together; a context manager.

    Without a `key_file` it is open to whoever is on this machine, and does not start where others could reach it.
    `flags` adds flags by service name; `sink` takes every log line.
    """

    def __init__(
        self,
        *,
        model: Path | str = WEIGHTS / "language_model",
        codec: Path | str = WEIGHTS / "codec",
        gateway_address: str = GATEWAY_ADDRESS,
        http_address: str = HTTP_ADDRESS,
        metrics_ports: Sequence[int] = METRICS_PORTS,
        key_file: str = "",
        flags: Mapping[str, Sequence[str]] | None = None,
        sink: Callable[[str], None] = to_stderr,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="swara-")
        self.gateway_address = gateway_address
        self.http_address = http_address
        self.audio_address = f"unix:{self._folder.name}/audio.sock"
        self.token_address = f"unix:{self._folder.name}/token.sock"
        self.metrics_ports = tuple(metrics_ports)
        self.services: dict[str, ServiceProcess] = {}
        self._sink = sink
        self._access = [f"--key-file={key_file}"] if key_file else _access(gateway_address, http_address)
        commands = self._commands(str(model), str(codec))
        self._commands_by_name = {name: [*command, *(flags or {}).get(name, ())] for name, command in commands.items()}

    @classmethod
    def on_free_ports(
        cls,
        *,
        model: Path | str = WEIGHTS / "language_model",
        codec: Path | str = WEIGHTS / "codec",
        key_file: str = "",
        flags: Mapping[str, Sequence[str]] | None = None,
        sink: Callable[[str], None] = to_stderr,
    ) -> "Stack":
        """A stack, of the demo model if no other is named, that disturbs no other."""
        gateway, http, *metrics = (free_port() for _ in range(5))
        doors = {"gateway_address": f"127.0.0.1:{gateway}", "http_address": f"127.0.0.1:{http}"}
        return cls(model=model, codec=codec, **doors, metrics_ports=metrics, key_file=key_file, flags=flags, sink=sink)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Starts all three and waits until each is ready; raises SetupError with what one of them said."""
        for together in START_ORDER:
            for name in together:
                self.services[name] = ServiceProcess(name, self._commands_by_name[name], self._sink)
            self._wait_until_ready()

    def restart(self, name: str) -> None:
        """Ends one service, if it still runs, and starts it again; raises SetupError with what it said."""
        self.services[name].end(STOP_SECONDS)
        self.services[name] = ServiceProcess(name, self._commands_by_name[name], self._sink)
        self._wait_until_ready()

    def stop(self) -> None:
        """Ends the services in the order in which text passes them, so that each can finish what it has begun."""
        running = [self.services[name] for name in reversed(self._commands_by_name) if name in self.services]
        try:
            for service in running:
                service.end(STOP_SECONDS)
        except BaseException:
            # A second Ctrl-C: no more patience, and nothing may be left running.
            for service in running:
                service.kill()
            raise
        finally:
            self._folder.cleanup()

    def ended(self) -> ServiceProcess | None:
        """A service that is no longer running, if there is one."""
        return next((service for service in self.services.values() if service.exit_code is not None), None)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        for name in self.services:
            while not self._is_ready(name):
                self._raise_if_one_ended()
                if time.monotonic() > deadline:
                    raise SetupError(f"{name} was not ready within {READY_SECONDS:g} s")
                time.sleep(POLL_SECONDS)

    def _raise_if_one_ended(self) -> None:
        if service := self.ended():
            said = service.last_sentence() or f"it ended with exit code {service.exit_code} and said nothing"
            raise SetupError(f"{service.name} did not start: {said}")

    def _commands(self, model: str, codec: str) -> dict[str, list[str]]:
        gateway, audio, token = ([f"--metrics-port={port}", "--metrics-host=127.0.0.1"] for port in self.metrics_ports)
        token_door, audio_door = f"--address={self.token_address}", f"--address={self.audio_address}"
        return {
            "token_service": [f"--model={model}", token_door, *token],
            "audio_service": [f"--codec={codec}", audio_door, f"--token-address={self.token_address}", *audio],
            "gateway": [
                f"--address={self.gateway_address}",
                f"--http-address={self.http_address}",
                f"--audio-address={self.audio_address}",
                *self._access,
                *gateway,
            ],
        }

    def _is_ready(self, name: str) -> bool:
        if name == "gateway":
            return grpc_ready(self.gateway_address) and http_ready(self.http_address)
        return grpc_ready(self.audio_address if name == "audio_service" else self.token_address)


def _access(*addresses: str) -> list[str]:
    """Open where only this machine comes in; elsewhere the gateway says what is missing."""
    here = all(address.startswith(("127.", "localhost:", "[::1]:", "unix:")) for address in addresses)
    return ["--access=open"] if here else []


def serve(stack: Stack) -> None:
    """Keeps the stack up until SIGINT or SIGTERM; raises SetupError if a service ends by itself."""
    with stack:
        print(f"\nSwara is ready: gRPC {stack.gateway_address}, HTTP and WebSocket http://{stack.http_address}")
        print(
            f"Try: swara say 'आज मौसम अच्छा है।' --address {stack.gateway_address} -o hello.wav    Stop: Ctrl-C\n",
            flush=True,
        )
        while not (service := stack.ended()):
            time.sleep(POLL_SECONDS)
        raise SetupError(f"{service.name} ended with exit code {service.exit_code}: {service.last_sentence()}")


def main() -> None:
    """The command line of `make serve`."""
    parser = argparse.ArgumentParser(prog="python -m swara.stack", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default=str(WEIGHTS / "language_model"), help="folder or hub id of the model")
    parser.add_argument("--codec", default=str(WEIGHTS / "codec"), help="folder or hub id of the codec")
    parser.add_argument("--address", default=GATEWAY_ADDRESS, help="host:port of the gRPC door")
    parser.add_argument("--http-address", default=HTTP_ADDRESS, help="host:port of the HTTP and WebSocket door")
    parser.add_argument(
        "--metrics-ports", type=int, nargs=3, default=METRICS_PORTS, help="Prometheus ports: gateway, audio, token"
    )
    parser.add_argument("--key-file", default="", help="API keys; without it this machine alone may come in")
    parser.add_argument(
        "--allowed-origins", default="", help="origins of other servers' pages that may speak, by commas"
    )
    given = parser.parse_args()
    stack = Stack(
        model=given.model,
        codec=given.codec,
        gateway_address=given.address,
        http_address=given.http_address,
        metrics_ports=given.metrics_ports,
        key_file=given.key_file,
        flags={"gateway": [f"--allowed-origins={given.allowed_origins}"]},
    )
    signal.signal(signal.SIGTERM, _stop)
    with suppress(KeyboardInterrupt, Stopped):
        try:
            serve(stack)
        except SetupError as error:
            print(f"swara: {error}", file=sys.stderr)
            raise SystemExit(1) from None


def _stop(number: int, frame: object) -> None:
    raise Stopped


if __name__ == "__main__":
    main()
