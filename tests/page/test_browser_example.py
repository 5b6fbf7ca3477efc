"""The browser example: as small as it is, it plays."""

import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from swara.stack import Stack
from tests.gateway.gateway_process import gateway_alone
from tests.stack.doors import SHORT

pytestmark = pytest.mark.page

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "browser"
# What the example plays is counted where it leaves for the sound device.
COUNT_PLAYED = """() => {
  const start = AudioBufferSourceNode.prototype.start;
  window.played = { buffers: 0, ended: 0 };
  AudioBufferSourceNode.prototype.start = function (...when) {
    window.played.buffers += 1;
    this.onended = () => (window.played.ended += 1);
    return start.apply(this, when);
  };
}"""


@pytest.fixture
def folder() -> Iterator[str]:
    """The folder as its README serves it."""
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(EXAMPLE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def server(stack: Stack, folder: str) -> Iterator[str]:
    """The HTTP address of a gateway that knows the folder's origin."""
    with gateway_alone(f"--audio-address={stack.audio_address}", f"--allowed-origins={folder}") as (doors, _):
        yield doors.http_address


def test_the_browser_example_plays_to_the_end(browser: Browser, server: str, folder: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(folder)
        page.evaluate(COUNT_PLAYED)
        page.fill("[name=server]", server)
        page.fill("[name=text]", SHORT)
        page.click("button")
        page.wait_for_function("document.querySelector('output').value.includes('s of speech, seed')")
        page.wait_for_function("window.played.buffers > 0 && window.played.ended === window.played.buffers")


def test_the_browser_example_shows_what_the_server_refuses(browser: Browser, server: str, folder: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(folder)
        page.fill("[name=server]", server)
        page.fill("[name=text]", "…")
        page.click("button")
        page.wait_for_function("document.querySelector('output').value.startsWith('the text is empty')")
