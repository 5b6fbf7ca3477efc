"""The calling side of gRPC: how a service reaches the one below it, and what its failures are called."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc

from swara.address import check, is_unix
from swara.errors import RETRY_AFTER_SECONDS, Full, SwaraError, Unavailable, Withdrawn, kind_of
from swara.tls import NAME, Certificate

# Far more than any text or chunk: what is merely too long is refused by us, with a sentence, before gRPC refuses it.
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
KEEPALIVE = (
    # A peer that is silent for 5 s is pinged and given up after 5 more: 10 s in all (law 5).
    ("grpc.keepalive_time_ms", 5_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    # Without this gRPC waits a minute for the answer to a ping, whatever the line above says.
    ("grpc.http2.ping_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
)
OPTIONS = (
    *KEEPALIVE,
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # A service that was away is tried again soon, not after gRPC's default of up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)


def connect(address: str, inside: Certificate | None = None) -> grpc.aio.Channel:
    """A channel to `host:port` or `unix:/path`; it connects by itself when it is used. Raises SetupError for neither.

    With a certificate both sides show one; over Unix sockets neither does.
    """
    check(address)
    if inside is None or is_unix(address):
        return grpc.aio.insecure_channel(address, options=OPTIONS)
    named = (*OPTIONS, ("grpc.ssl_target_name_override", NAME))
    return grpc.aio.secure_channel(address, inside.channel_credentials(), options=named)


@asynccontextmanager
async def calling(service: str, address: str) -> AsyncIterator[None]:
    """Raises the SwaraError that a failed call to `service` stands for, with the sentence it came with."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise _error(error, service, address) from error
    except asyncio.CancelledError:
        # gRPC says the same where the service cancelled the call as where somebody cancelled our task.
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise Withdrawn(f"the {service} at {address} ended the call") from None


def _error(error: grpc.aio.AioRpcError, service: str, address: str) -> SwaraError:
    label = _label(error)
    kind = kind_of(error.code().name, label)
    # Without a label it is not the service itself that sent this status, but the connection to it that broke.
    if kind is Unavailable and not label:
        return Unavailable(f"the {service} at {address} went away or cannot be reached")
    if issubclass(kind, Full):
        return kind(error.details() or f"the {service} at {address} is full", _retry_after_seconds(error))
    return kind(error.details() or f"the {service} at {address} failed without a sentence")


def _retry_after_seconds(error: grpc.aio.AioRpcError) -> float:
    """The service's own hint, or the usual one."""
    hints = [value for key, value in error.trailing_metadata() or () if key == "swara-retry-after-seconds"]
    try:
        return max(0.0, float(hints[0]))
    except (IndexError, ValueError):
        return RETRY_AFTER_SECONDS


def _label(error: grpc.aio.AioRpcError) -> str:
    """What the service itself calls the error; empty where it said nothing."""
    return next((str(value) for key, value in error.trailing_metadata() or () if key == "swara-error"), "")
