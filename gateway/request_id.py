"""The id under which every service logs one request: the caller's own where it is sane, a new one otherwise."""

import re
import uuid

from swara.errors import SwaraError

HEADER = "x-request-id"
SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")


def resolve(given: str | bytes | None) -> str:
    """The caller's id if it is sane, else a new one."""
    text = given.decode("latin-1") if isinstance(given, bytes) else given or ""
    return text if SANE.fullmatch(text) else uuid.uuid4().hex


def with_id(error: SwaraError, request_id: str) -> str:
    """The error's sentence with the request id in it, once."""
    return error.sentence if request_id in error.sentence else f"{error.sentence} (request {request_id})"
