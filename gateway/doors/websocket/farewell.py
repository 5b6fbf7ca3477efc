"""The end of a WebSocket: its last word, how long that may take, and what is raised where nobody hears it any more."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.websockets import WebSocketDisconnect, WebSocketDisconnected

from swara.errors import Cancelled, Full, SwaraError

# Somebody who reads nothing cannot be told why either.
FAREWELL_SECONDS = 1.0
# The first is raised by the write in which the client turns out to be gone, the second by those after it.
GONE = (WebSocketDisconnect, WebSocketDisconnected)


@contextmanager
def hung_up() -> Iterator[None]:
    """Raises Cancelled where the block writes to a client that is gone: no fault of ours, though a write failed."""
    try:
        yield
    except GONE:
        raise Cancelled("the caller went away") from None


def refusal(error: SwaraError, request_id: str) -> dict[str, Any]:
    """What an error is in JSON, and when to come back where there was no room."""
    hint = {"retry_after_seconds": error.retry_after_seconds} if isinstance(error, Full) else {}
    return {"error": error.sentence, "code": error.label, "request_id": request_id} | hint
