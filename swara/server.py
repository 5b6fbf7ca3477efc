"""The serving side of gRPC: startup, loop, shutdown; health, reflection, and errors as statuses."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from prometheus_client import disable_created_metrics, start_http_server

from swara.address import check, is_unix
from swara.channel import KEEPALIVE, MAX_MESSAGE_BYTES
from swara.errors import UNFORESEEN, Broken, Full, SetupError, SwaraError
from swara.retry_info import retry_details
from swara.tls import Certificate

log = logging.getLogger(__name__)

OPTIONS = (
    *KEEPALIVE,
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # Callers ping every 5 s; without this gRPC would answer with GOAWAY "too many pings".
    ("grpc.http2.min_ping_interval_without_data_ms", 4_000),
    ("grpc.http2.max_ping_strikes", 0),
    # Somebody who connects and does not say what for; gRPC would wait for two minutes.
    ("grpc.server_handshake_timeout_ms", 10_000),
    # Calls of one connection at once: more than a proxy's, fewer than a flood's.
    ("grpc.max_concurrent_streams", 2_000),
    # A port that is taken is an error, not a second listener that gets half of the calls.
    ("grpc.so_reuseport", 0),
)


class RpcServer:
    """A gRPC server with health and reflection that says it is serving only between `start` and `drain`."""

    def __init__(
        self, max_connection_seconds: float = 0.0, interceptors: Sequence[grpc.aio.ServerInterceptor] = ()
    ) -> None:
        """Callers are told to connect anew after `max_connection_seconds`, 0 never; their running calls go on."""
        age = (("grpc.max_connection_age_ms", round(1000 * max_connection_seconds)),) if max_connection_seconds else ()
        self.grpc = grpc.aio.server(options=(*OPTIONS, *age), interceptors=interceptors)
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.grpc)
        self._services: tuple[str, ...] = ()

    async def start(self, address: str, services: Sequence[str], certificate: Certificate | None = None) -> None:
        """Listens for these full service names on `host:port` or `unix:/path`, or several of them with commas.

        With a certificate by TLS, but for Unix sockets. Raises SetupError if an address is taken, or is none.
        """
        self._services = (*services, "")
        reflection.enable_server_reflection((*services, health.SERVICE_NAME, reflection.SERVICE_NAME), self.grpc)
        self.listen(address, certificate)
        await self.grpc.start()
        await self._say(health_pb2.HealthCheckResponse.SERVING)

    async def stop(self, grace_seconds: float) -> None:
        """Says NOT_SERVING, takes no new calls, lets running ones finish for `grace_seconds`, then cancels them."""
        await self._say(health_pb2.HealthCheckResponse.NOT_SERVING)
        await self.grpc.stop(grace_seconds)

    def listen(self, address: str, certificate: Certificate | None = None) -> None:
        """One more address or several with commas, before the start; raises SetupError as `start` does."""
        for one in address.split(","):
            self._listen(one.strip(), certificate)

    def _listen(self, address: str, certificate: Certificate | None) -> None:
        check(address)
        try:
            if certificate and not is_unix(address):
                bound = self.grpc.add_secure_port(address, certificate.server_credentials())
            else:
                bound = self.grpc.add_insecure_port(address)
        except RuntimeError:
            bound = 0
        if not bound:
            raise SetupError(f"cannot listen on {address}: is another process using it, or is it not of this machine?")

    async def _say(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        for service in self._services:
            await self._health.set(service, status)


@asynccontextmanager
async def answering(context: grpc.aio.ServicerContext, request_id: str) -> AsyncIterator[None]:
    """Ends the call with the status of the error raised inside; an unforeseen one is logged and called INTERNAL."""
    try:
        yield
    except SwaraError as error:
        await _abort(context, error, request_id)
    except (asyncio.CancelledError, GeneratorExit, grpc.aio.AbortError):
        raise
    except Exception:
        log.exception("unforeseen error", extra={"request_id": request_id})
        await _abort(context, Broken(UNFORESEEN), request_id)


async def _abort(context: grpc.aio.ServicerContext, error: SwaraError, request_id: str) -> None:
    code = getattr(grpc.StatusCode, error.grpc_code)
    sentence = error.sentence if request_id in error.sentence else f"{error.sentence} (request {request_id})"
    metadata: list[tuple[str, str | bytes]] = [("swara-error", error.label), ("swara-request-id", request_id)]
    if isinstance(error, Full):
        metadata.append(("swara-retry-after-seconds", f"{error.retry_after_seconds:g}"))
        metadata.append(retry_details(code, sentence, error.retry_after_seconds))
    await context.abort(code, sentence, tuple(metadata))


def serve_metrics(host: str, port: int) -> None:
    """Serves Prometheus metrics from a thread; raises SetupError if the port is taken."""
    # When each counter was born is a series more for each of them, and nobody asks.
    disable_created_metrics()
    try:
        start_http_server(port, host)
    except OSError as error:
        raise SetupError(f"cannot serve metrics on {host}:{port}: {error.strerror}") from None


async def until_signalled() -> None:
    """Waits for SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
