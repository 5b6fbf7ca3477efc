"""One visit to the page /test: what its visitor does, sees and hears, and what the browser did meanwhile."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Locator, Page, WebSocket

from tests.stack.doors import wait_until

# Long enough for a busy machine to speak a few seconds of sound.
PATIENCE_MILLISECONDS = 30_000
# Nothing of the form lies under the row of buttons that stays in sight.
VIEWPORT = {"width": 1280, "height": 900}
ROOM_ATTEMPTS = 20
ROOM_SECONDS = 1.0
FULL = re.compile("taken|full", re.IGNORECASE)


class Visit:
    """A page and its record: requests to other hosts, complaints on the console, PCM that came by WebSocket."""

    def __init__(self, page: Page, host: str) -> None:
        self.page = page
        self.strangers: list[str] = []
        self.complaints: list[str] = []
        self.arrived: list[bytes] = []
        self._host = host
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        page.on("request", lambda request: self._note_host(request.url))
        page.on("websocket", self._note_socket)
        page.on("console", lambda message: self._note_console(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self) -> None:
        """Goes to the page and waits for what it shows first: voices, or why there are none."""
        self.page.goto(f"http://{self._host}/test")
        self.page.wait_for_selector(".voice, #trouble:not([hidden])")

    def play(self, text: str, seed: str = "", voice: str = "", places: int = 1) -> None:
        """Fills the form and presses play."""
        self.page.fill("#text", text)
        self.page.fill("#seed", seed)
        if voice:
            self.page.check(f"input[name=voice][value={voice}]")
        self.page.check(f"input[name=places][value='{places}']", force=True)
        self.page.click("#play")

    def play_where_there_is_room(self, text: str, places: int, seed: str = "") -> None:
        """Presses play until all are heard: a slow machine may have room for fewer at the moment."""
        for _ in range(ROOM_ATTEMPTS):
            self.play(text, places=places, seed=seed)
            self.wait_until("rows => rows.every(row => row.dataset.state !== 'starting')", places)
            if not any(FULL.search(self.row(k).locator(".error").inner_text()) for k in range(places)):
                return
            # How fast the machine is now is learned from what it speaks, so that is left to its end.
            self.wait_until("rows => rows.every(row => ['finished', 'failed'].includes(row.dataset.state))", places)
            time.sleep(ROOM_SECONDS)
        raise AssertionError(f"there was never room for {places} at once")

    def row(self, index: int = 0) -> Locator:
        """One of the speeches, the newest first."""
        return self.page.locator(".row").nth(index)

    def wait_for(self, state: str, index: int = 0) -> Locator:
        """Waits until a speech has that state."""
        self.page.wait_for_selector(f".row:nth-child({index + 1})[data-state={state}]")
        return self.row(index)

    def wait_until(self, holds: str, rows: int) -> None:
        """Waits until a JavaScript function of the newest rows holds."""
        # Playwright's own waiting evaluates strings inside the page, which the page's policy forbids.
        script = f"() => ({holds})([...document.querySelectorAll('.row')].slice(0, {rows}))"
        wait_until(lambda: bool(self.in_page(script)), PATIENCE_MILLISECONDS / 1000)

    def milliseconds(self, part: str, index: int = 0) -> int:
        """A figure of a speech that is written as "212 ms"."""
        words = self.figure(part, index)
        assert words.endswith(" ms"), f"{part} is {words}"
        return int(words.removesuffix(" ms"))

    def figure(self, part: str, index: int = 0) -> str:
        """A figure of a speech as it is written."""
        return self.row(index).locator(f"[data-part={part}]").inner_text()

    def download(self, index: int = 0) -> tuple[str, bytes]:
        """Name and content of the file that a speech's button gives."""
        with self.page.expect_download() as download:
            self.row(index).locator("[data-part=download]").click()
        return download.value.suggested_filename, download.value.path().read_bytes()

    def in_page(self, script: str, argument: Any = None) -> Any:
        """What a JavaScript function returns."""
        return self.page.evaluate(script, argument)

    def _note_host(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "blob" and parts.netloc != self._host:
            self.strangers.append(url)

    def _note_socket(self, socket: WebSocket) -> None:
        self._note_host(socket.url)
        socket.on("framereceived", lambda data: self.arrived.append(data) if isinstance(data, bytes) else None)

    def _note_console(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)


@contextmanager
def visiting(browser: Browser, host: str, **options: Any) -> Iterator[Visit]:
    """A visit by a browser that knows nothing of earlier ones; `options` are Playwright's for its context."""
    context = browser.new_context(**{"viewport": VIEWPORT, **options})
    try:
        visit = Visit(context.new_page(), host)
        visit.open()
        yield visit
    finally:
        context.close()
