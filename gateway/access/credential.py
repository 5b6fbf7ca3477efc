"""What a caller shows for its API key: where it stands on each wire. The key is never logged and never in an error."""

from collections.abc import Sequence

from starlette.requests import HTTPConnection

HEADER = "authorization"
SCHEME = "Bearer "
# Browsers cannot set headers on a WebSocket: there the key is a subprotocol, beside the one that is answered.
SUBPROTOCOL = "swara"
KEY_SUBPROTOCOL = "swara.key."


def of_header(value: str | bytes | None) -> str:
    """The key in an `authorization: Bearer …` header; empty where there is none."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value or ""
    return text[len(SCHEME) :].strip() if text[: len(SCHEME)].lower() == SCHEME.lower() else ""


def header(key: str) -> tuple[str, str]:
    """The header that shows a key."""
    return HEADER, SCHEME + key


def of_connection(connection: HTTPConnection) -> str:
    """The key of an HTTP request or a WebSocket; empty where there is none."""
    return of_header(connection.headers.get(HEADER)) or _of_subprotocols(connection.scope.get("subprotocols", ()))


def answered_subprotocol(offered: Sequence[str]) -> str | None:
    """The subprotocol to accept a WebSocket with: browsers hang up where they offered some and none was taken."""
    return SUBPROTOCOL if SUBPROTOCOL in offered else None


def _of_subprotocols(offered: Sequence[str]) -> str:
    keys = (name.removeprefix(KEY_SUBPROTOCOL) for name in offered if name.startswith(KEY_SUBPROTOCOL))
    return next(keys, "")
