"""The HTTP and WebSocket server: uvicorn inside our event loop, on a socket that we open."""

import asyncio
import logging
import os
import socket
import stat
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from gateway.doors.http.patient_http import PatientProtocol
from gateway.doors.http.renewal import Renewed
from gateway.settings import GatewaySettings
from swara.address import UNIX, check, host_and_port, is_unix
from swara.errors import SetupError

# Pings keep proxies from closing idle connections. A listener who plays in real time has many seconds of audio in its
# buffers before it comes to the ping, so a late answer must not end the stream; dead hosts are TCP's to find.
PING_SECONDS = 10.0
PONG_SECONDS = 60.0
# What is still running after the drain has had its time; uvicorn cancels it then.
FORCED_STOP_SECONDS = 1
BACKLOG = 512


class WebServer:
    """Serves an ASGI application from `start` to `stop`."""

    def __init__(self, app: ASGIApp, settings: GatewaySettings) -> None:
        self._settings = settings
        self._certificate = settings.public_certificate
        config = uvicorn.Config(
            app,
            http=PatientProtocol,
            ws="websockets-sansio",
            ws_max_size=settings.max_body_bytes,
            limit_concurrency=settings.max_connections,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PONG_SECONDS,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=FORCED_STOP_SECONDS,
        )
        _quieten()
        self._config = config
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listens on `host:port` or `unix:/path`; raises SetupError if it cannot."""
        self._config.load()
        if self._certificate:
            renewed = Renewed(self._certificate)
            self._config.ssl = renewed.context
            self._renewing = asyncio.create_task(renewed.run())
        listener = listen(self._settings.http_address, self._settings.silent_seconds)
        self._task = asyncio.create_task(self._server.serve([listener]))

    async def stop(self) -> None:
        """Ends every connection, closing WebSockets with 1012."""
        if self._renewing:
            self._renewing.cancel()
        if self._task:
            self._server.should_exit = True
            await self._task


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leaves signals to the process, which has two servers to stop in order."""
        yield


def _quieten() -> None:
    """Keeps uvicorn's warnings and errors, but for the one that is our way of dropping a connection."""
    log = logging.getLogger("uvicorn.error")
    log.setLevel(logging.WARNING)
    log.addFilter(lambda record: "returned without completing response" not in record.getMessage())


def listen(address: str, silent_seconds: float) -> socket.socket:
    """A listening socket for `host:port` or `unix:/path`; raises SetupError with a sentence."""
    check(address)
    try:
        if is_unix(address):
            return _listen_unix(address.removeprefix(UNIX))
        return _listen_tcp(address, silent_seconds)
    except OSError as error:
        raise SetupError(f"cannot listen on {address}: {error.strerror or error}") from None


def _listen_tcp(address: str, silent_seconds: float) -> socket.socket:
    host, port = host_and_port(address)
    listener = socket.create_server(
        (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=BACKLOG
    )
    # Accepted connections inherit these: a host that is gone, or takes nothing, is given up after `silent_seconds`.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        half_seconds = max(1, round(silent_seconds / 2))
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, half_seconds)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, half_seconds)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(1000 * silent_seconds))
    return listener


def _listen_unix(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    if os.path.exists(path):
        try:
            listener.connect(path)
        except ConnectionRefusedError:
            _unlink_socket(path)  # Left behind by a process that was killed.
        else:
            raise SetupError(f"cannot listen on unix:{path}: is another process using it?")
    listener.bind(path)
    listener.listen(BACKLOG)
    return listener


def _unlink_socket(path: str) -> None:
    """Takes a socket away; a file of anybody's refuses connections too, and stays."""
    if not stat.S_ISSOCK(os.stat(path).st_mode):
        raise SetupError(f"cannot listen on unix:{path}: there is a file that is no socket")
    os.unlink(path)
