"""The page of a gateway that asks for API keys: it asks its visitor, and keeps the key in its memory only."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from gateway.access.account import KeyLimits
from gateway.keys import entry_line, new_key
from swara.stack import Stack
from tests.gateway.gateway_process import gateway_alone
from tests.page.visit import visiting

pytestmark = pytest.mark.page


def test_the_page_asks_for_a_key_and_speaks_with_it(browser: Browser, stack: Stack, tmp_path: Path) -> None:
    key, path = new_key(), tmp_path / "keys.toml"
    path.write_text(entry_line("visitor", key, KeyLimits()), encoding="utf-8")
    flags = ("--access=keys", f"--key-file={path}", f"--audio-address={stack.audio_address}")
    with gateway_alone(*flags) as (doors, _), visiting(browser, doors.http_address) as visit:
        assert "API key" in visit.page.inner_text("#trouble")
        visit.page.fill("#key", new_key())
        visit.page.press("#key", "Enter")
        visit.page.get_by_text("is not one of this gateway's").wait_for()
        visit.page.fill("#key", key)
        visit.page.press("#key", "Enter")
        visit.page.wait_for_selector(".voice")
        assert not visit.page.is_visible("#trouble")
        visit.play("नमस्ते।")
        visit.wait_for("finished")
        kept = visit.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
        assert kept == '[{},{},""]'
        assert not any(key in line for line in doors.lines)
