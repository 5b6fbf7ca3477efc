"""Errors over HTTP: OpenAI's shape, with the request id in the message."""

import logging
import math
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from gateway.request import BadField
from gateway.request_id import with_id
from swara.errors import UNFORESEEN, Broken, Full, InvalidRequest, SwaraError, Unauthenticated

log = logging.getLogger(__name__)


class TooLarge(InvalidRequest):
    """The body is larger than any request can be."""

    http_status = 413


def request_id_of(request: Request) -> str:
    """The id that `http_api.RequestIds` gave this request."""
    name: str = request.state.request_id
    return name


def error_response(error: SwaraError, request_id: str) -> JSONResponse:
    """The error as a response."""
    headers = {}
    if isinstance(error, Full):
        headers["retry-after"] = str(math.ceil(error.retry_after_seconds))
    if isinstance(error, Unauthenticated):
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(error_body(error, request_id), error.http_status, headers)


def error_body(error: SwaraError, request_id: str) -> dict[str, Any]:
    """The error as OpenAI's object."""
    kind = "invalid_request_error" if error.http_status < 429 else "server_error"
    if isinstance(error, Full):
        kind = "rate_limit_error"
    param = error.param if isinstance(error, BadField) else None
    return {"error": {"message": with_id(error, request_id), "type": kind, "param": param, "code": error.label}}


async def answer_error(request: Request, error: Exception) -> JSONResponse:
    """Starlette's handler for SwaraErrors."""
    assert isinstance(error, SwaraError)
    return error_response(error, request_id_of(request))


async def answer_http(request: Request, error: Exception) -> JSONResponse:
    """Starlette's handler for what its router refuses: no such path, no such method."""
    assert isinstance(error, HTTPException)
    name = request_id_of(request)
    sentence = {
        404: f"there is nothing at {request.url.path[:100]}",
        405: f"{request.method[:20]} is not allowed at {request.url.path[:100]}",
    }.get(error.status_code, error.detail)
    body = {
        "message": f"{sentence} (request {name})",
        "type": "invalid_request_error",
        "param": None,
        "code": "not_found" if error.status_code == 404 else "method_not_allowed",
    }
    return JSONResponse({"error": body}, error.status_code, dict(error.headers or {}))


async def answer_unforeseen(request: Request, error: Exception) -> JSONResponse:
    """Starlette's handler for our own faults; uvicorn logs the traceback."""
    name = request_id_of(request)
    log.error("unforeseen error", extra={"request_id": name})
    return error_response(Broken(UNFORESEEN), name)
