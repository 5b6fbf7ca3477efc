"""The page /test: static files of this package, under a policy that lets nothing leave this server."""

from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

FOLDER = Path(__file__).parents[2] / "static"
# The machine's own table of types is not ours: a script of another type is not run by a browser.
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    # Browsers keep the files and ask each time whether they still hold: a new version is never mixed with an old one.
    "cache-control": "no-cache",
}


class PageFiles(StaticFiles):
    """Files with our headers; a file that the browser still has is answered with 304."""

    def file_response(self, full_path: Any, *rest: Any, **options: Any) -> Response:
        """Adds the headers to Starlette's answer."""
        response = super().file_response(full_path, *rest, **options)
        response.headers.update(HEADERS | {"content-type": CONTENT_TYPES[Path(full_path).suffix]})
        return response


def page_routes() -> list[BaseRoute]:
    """The page and its files; the page's own addresses are relative, so it also works behind a path prefix."""
    files = PageFiles(directory=FOLDER)

    async def page(request: Request) -> Response:
        return await files.get_response("index.html", request.scope)

    async def without_slash(request: Request) -> Response:
        return RedirectResponse("../test")

    return [Route("/test", page), Route("/test/", without_slash), Mount("/test", files)]
