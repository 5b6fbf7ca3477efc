"""`python -m tests.page.pictures`: photographs the page of a real stack into docs/images/."""

import shutil
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from swara.stack import Stack
from tests.page.visit import Visit, visiting

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "images"
STORY = "एक गाँव में एक बूढ़ा किसान रहता था। उसके पास एक छोटा सा खेत और दो बैल थे।"
WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 1390}
# Enough of the speech is played then to show the rest as still to come.
PLAYED_SECONDS = 2.2


def playing(visit: Visit) -> None:
    visit.play_where_there_is_room(STORY, places=1, seed="7")
    visit.page.wait_for_timeout(1000 * PLAYED_SECONDS)


def two_at_once(visit: Visit) -> None:
    visit.play_where_there_is_room(STORY, places=2, seed="")
    visit.page.wait_for_timeout(1000 * PLAYED_SECONDS)


def refused(visit: Visit) -> None:
    visit.play("नमस्ते, आप कैसे हैं?", seed="7")
    visit.wait_for("finished")
    visit.play("…")
    visit.wait_for("failed")


def untouched(visit: Visit) -> None:
    assert visit.page.locator(".row").count() == 0


PICTURES: dict[str, tuple[str, dict[str, int], float, Callable[[Visit], None]]] = {
    "page-light": ("light", WIDE, 1, playing),
    "page-dark": ("dark", WIDE, 1, two_at_once),
    "page-error": ("light", WIDE, 1, refused),
    "page-empty": ("light", WIDE, 1, untouched),
    "page-phone": ("dark", PHONE, 1, playing),
}


def photograph(browser: Browser, stack: Stack) -> None:
    """Takes every picture."""
    for name, (scheme, viewport, scale, prepare) in PICTURES.items():
        options = {"color_scheme": scheme, "viewport": viewport, "device_scale_factor": scale}
        with visiting(browser, stack.http_address, **options) as visit:
            prepare(visit)
            visit.page.mouse.move(0, 0)
            visit.page.screenshot(path=FOLDER / f"{name}.png")
            visit.page.keyboard.press("Escape")


def main() -> None:
    """Starts a stack and a browser, and takes the pictures."""
    FOLDER.mkdir(exist_ok=True)
    with Stack.on_free_ports(sink=lambda line: None) as stack, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        photograph(browser, stack)
        browser.close()


if __name__ == "__main__":
    main()
