"""A real Chromium, and the page /test of the shared stack in it."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from swara.stack import Stack
from tests.page.visit import Visit, visiting


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium without a window; it has a sound clock, and needs no sound card."""
    path = shutil.which("chromium")
    assert path, "there is no chromium here: make test-page installs it"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def visit(browser: Browser, stack: Stack) -> Iterator[Visit]:
    """The page of the shared stack, which at the end must have kept to this host and complained of nothing."""
    with visiting(browser, stack.http_address) as guest:
        yield guest
        assert guest.strangers == []
        assert guest.complaints == []
