"""Everybody can use the page: by keyboard alone, with a screen reader, on a phone, without motion, under its policy."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from swara.stack import Stack
from tests.gateway.gateway_process import gateway_alone
from tests.page.visit import Visit, visiting
from tests.stack.doors import LONG, SHORT

pytestmark = pytest.mark.page

FOCUSED = "() => document.activeElement.id || document.activeElement.name || document.activeElement.textContent.trim()"
# The outline may be on the label that stands for a hidden radio button.
OUTLINED = """() => {
  const focused = document.activeElement;
  return [focused, focused.closest("label")].some((each) => each && getComputedStyle(each).outlineStyle !== "none");
}"""
# Every control and those that come with a second model.
MAX_TABS = 40


def violations(page: Page) -> list[str]:
    """What axe-core finds, of any weight."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [f"{each['impact']}: {each['help']}: {each['nodes'][0]['html']}" for each in found]


def tab_to(visit: Visit, control: str) -> None:
    """Goes on by the tab key alone; every stop must show where it is."""
    for _ in range(MAX_TABS):
        visit.page.keyboard.press("Tab")
        assert visit.in_page(OUTLINED), f"nothing shows that {visit.in_page(FOCUSED)} has the focus"
        if visit.in_page(FOCUSED) == control:
            return
    raise AssertionError(f"the tab key does not lead to {control}")


def test_it_is_used_from_text_to_download_by_keyboard_alone(visit: Visit) -> None:
    keyboard = visit.page.keyboard
    tab_to(visit, "text")
    keyboard.press("Control+A")
    keyboard.insert_text(SHORT)
    tab_to(visit, "voice")
    keyboard.press("ArrowDown")
    tab_to(visit, "seed")
    keyboard.type("7")
    tab_to(visit, "play")
    keyboard.press("Enter")
    visit.wait_for("finished")
    assert visit.figure("voice") == "Kabir"
    tab_to(visit, "Download WAV")
    with visit.page.expect_download() as download:
        keyboard.press("Enter")
    assert download.value.suggested_filename == "swara-kabir-7.wav"


def test_keys_play_from_inside_the_text_and_stop_again(visit: Visit) -> None:
    visit.page.fill("#text", LONG)
    visit.page.keyboard.press("Control+Enter")
    visit.wait_for("sounding")
    visit.page.keyboard.press("Escape")
    visit.wait_for("cancelled")
    assert visit.in_page(FOCUSED) == "text", "the focus was taken away from who is writing"


def test_stopping_by_keyboard_leaves_the_focus_on_something(visit: Visit) -> None:
    visit.play(LONG)
    visit.wait_for("sounding")
    visit.row().locator("[data-part=stop]").focus()
    visit.page.keyboard.press("Enter")
    visit.wait_for("cancelled")
    assert visit.in_page(FOCUSED) == "Download WAV"


def test_a_screen_reader_is_told_of_each_turn(visit: Visit) -> None:
    status = visit.page.get_by_role("status")
    visit.play(SHORT)
    visit.wait_for("sounding")
    assert status.inner_text().startswith("Playing after ")
    visit.wait_for("finished")
    assert status.inner_text().startswith("Finished: ")
    visit.play("…")
    visit.wait_for("failed")
    assert visit.page.get_by_role("alert").filter(has_text="the text is empty").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_before_after_and_in_trouble(browser: Browser, stack: Stack, scheme: str) -> None:
    with visiting(browser, stack.http_address, color_scheme=scheme, reduced_motion="reduce") as visit:
        assert violations(visit.page) == []
        visit.play(LONG, places=2)
        visit.wait_until("rows => rows.some(row => row.dataset.state === 'sounding')", 2)
        assert violations(visit.page) == []
        visit.page.keyboard.press("Escape")
        visit.play("…")
        visit.wait_for("failed")
        assert violations(visit.page) == []


@pytest.mark.parametrize("width_pixels", [320, 390, 768, 1280])
def test_nothing_is_wider_than_the_screen(browser: Browser, stack: Stack, width_pixels: int) -> None:
    with visiting(browser, stack.http_address, viewport={"width": width_pixels, "height": 1600}) as visit:
        visit.play("अ" * 300, places=8)
        visit.page.keyboard.press("Escape")
        visit.wait_until("rows => rows.every(row => ['cancelled', 'failed'].includes(row.dataset.state))", 8)
        assert visit.in_page("() => document.documentElement.scrollWidth") <= width_pixels


def test_nothing_moves_for_who_asked_for_stillness(browser: Browser, stack: Stack) -> None:
    moving = "() => document.getAnimations().length"
    for preference, expected in (("reduce", False), ("no-preference", True)):
        with visiting(browser, stack.http_address, reduced_motion=preference) as visit:
            visit.play(LONG)
            visit.wait_for("sounding")
            assert bool(visit.in_page(moving)) is expected
            visit.page.keyboard.press("Escape")
            visit.wait_for("cancelled")


def test_a_voice_that_does_not_speak_the_texts_language_says_so(visit: Visit) -> None:
    visit.page.click("text=Hello")
    assert "Asha speaks Hindi only" in visit.page.inner_text("#hint")
    visit.page.click("text=नमस्ते >> nth=0")
    assert visit.page.inner_text("#hint").endswith("characters")


def test_its_policy_stops_what_would_leave_the_server(browser: Browser, stack: Stack) -> None:
    with visiting(browser, stack.http_address) as visit:
        stopped = visit.in_page("() => fetch('http://127.0.0.1:9/').then(() => false, () => true)")
        assert stopped
        assert any("Content Security Policy" in complaint for complaint in visit.complaints)


def test_a_gateway_with_nobody_behind_it_says_so_and_can_be_asked_again(browser: Browser) -> None:
    with gateway_alone() as (doors, _), visiting(browser, doors.http_address) as visit:
        with doors.http() as http:
            sentence = http.get("/v1/audio/voices").json()["error"]["message"].partition(" (request")[0]
        assert visit.page.inner_text("#trouble p").startswith(sentence)
        with visit.page.expect_response("**/v1/audio/voices"):
            visit.page.click("#again")
        visit.page.wait_for_selector("#trouble:not([hidden])")
