"""Whose pages may speak from a browser: this server's own, and those of the origins that a setting names."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.doors.http.http_errors import error_response
from swara.errors import SetupError, SwaraError

CORS_METHODS = ("GET", "POST")
CORS_HEADERS = ("authorization", "content-type", "x-request-id")
CORS_EXPOSED = (
    "retry-after",
    "x-request-id",
    "x-swara-model",
    "x-swara-model-fingerprint",
    "x-swara-sample-rate-hz",
    "x-swara-seed",
    "x-swara-voice",
)


class ForeignOrigin(SwaraError):
    """The page that asks is another server's."""

    http_status = 403
    label = "foreign_origin"


class Origins:
    """Refuses what pages of other origins ask, before anything is accepted; programs send no origin, and pass."""

    def __init__(self, app: ASGIApp, allowed: frozenset[str]) -> None:
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what may pass."""
        if scope["type"] in ("http", "websocket") and not self._may(Headers(scope=scope)):
            error = ForeignOrigin("pages of this origin may not speak here: the setting allowed_origins names those")
            return await error_response(error, scope["state"]["request_id"])(scope, receive, send)
        return await self._app(scope, receive, send)

    def _may(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        # Behind a proxy that ends TLS the scheme differs, so the own origin is told by host and port.
        return origin is None or origin in self._allowed or _host_of(origin) == headers.get("host", "").lower()


def origins_of(setting: str) -> frozenset[str]:
    """The origins of a setting, separated by commas; raises SetupError for what is none."""
    origins = frozenset(part.strip() for part in setting.split(",") if part.strip())
    for origin in origins:
        if not _is_origin(origin):
            raise SetupError(
                f"{origin} in allowed_origins is no origin: it has the form https://host or https://host:port"
            )
    return origins


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return bool(parts.scheme and parts.hostname) and text == f"{parts.scheme}://{parts.netloc}"
    except ValueError:
        return False


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None
