"""The page speaks: in a real Chromium, from the real services, on the browser's own sound clock."""

import os
import signal
import time

import numpy as np
import pytest
from playwright.sync_api import Browser

from swara.pcm import from_bytes
from swara.stack import Stack
from tests.page.visit import Visit, visiting
from tests.stack.doors import (
    LONG,
    SHORT,
    Asked,
    Refused,
    assert_equal_speech,
    pcm_of,
    token_load,
    wait_until,
    websocket_chunks,
)

pytestmark = pytest.mark.page

HEADER_BYTES = 44
# Other work on the machine can take the model's time; a listener on an idle one hears no gap.
RUNS = 8
# Longer than what is held when sound has just begun.
FROZEN_SECONDS = 3.0


def test_it_plays_while_the_rest_is_being_made_and_says_when(visit: Visit) -> None:
    visit.play_where_there_is_room(LONG, places=1)
    visit.wait_for("sounding")
    assert visit.row().locator("[data-part=download]").is_disabled(), "all of it had come before any was played"
    audible, started = visit.milliseconds("audible"), visit.milliseconds("started")
    assert 20 < audible <= started < 10_000
    visit.page.keyboard.press("Escape")


def test_a_speech_is_heard_without_a_gap_to_its_last_sample(visit: Visit) -> None:
    told = []
    for _ in range(RUNS):
        visit.play(SHORT)
        visit.wait_for("finished")
        told.append((visit.figure("gaps"), visit.figure("factor")))
        if told[-1][0] == "none":
            return
    raise AssertionError(f"gaps and real-time factors were {told}")


def test_a_voice_that_stalls_is_counted_as_a_gap(browser: Browser, fresh_stack: Stack) -> None:
    process_id = fresh_stack.services["token_service"].pid
    with visiting(browser, fresh_stack.http_address) as visit:
        visit.play(LONG)
        visit.wait_for("sounding")
        os.kill(process_id, signal.SIGSTOP)
        try:
            time.sleep(FROZEN_SECONDS)
        finally:
            os.kill(process_id, signal.SIGCONT)
        visit.wait_until("rows => Number(rows[0].dataset.underruns) > 0", 1)
        underruns, _, gap = visit.figure("gaps").partition(" · ")
        assert int(underruns) >= 1
        assert int(gap.removesuffix(" ms")) > 100


def test_the_download_is_the_servers_pcm_sample_for_sample(visit: Visit, stack: Stack) -> None:
    visit.play(SHORT, seed="7", voice="kabir")
    visit.wait_for("finished")
    name, wav = visit.download()
    assert name == "swara-kabir-7.wav"
    assert wav[HEADER_BYTES:] == b"".join(visit.arrived)
    assert int.from_bytes(wav[40:44], "little") == len(wav) - HEADER_BYTES
    asked = pcm_of(websocket_chunks(stack, Asked(SHORT, seed=7, voice="kabir")))
    assert_equal_speech(from_bytes(wav[HEADER_BYTES:]), from_bytes(asked))


def test_a_seed_of_64_bits_comes_back_digit_for_digit(visit: Visit) -> None:
    visit.play(SHORT, seed="18446744073709551615")
    visit.wait_for("finished")
    assert visit.figure("seed") == "seed 18446744073709551615"


def test_two_at_once_are_both_heard_and_summed_up(visit: Visit) -> None:
    visit.play_where_there_is_room(SHORT, places=2)
    visit.wait_until("rows => rows.every(row => row.dataset.state === 'finished')", 2)
    summary = visit.page.locator("#summary")
    assert summary.locator("[data-part=heard]").inner_text() == "2"
    assert summary.locator("[data-part=refused]").inner_text() == "0"
    assert float(summary.locator("[data-part=factor]").inner_text().removesuffix("×")) > 0
    assert {visit.figure("badge", k) for k in range(2)} == {"1 of 2", "2 of 2"}


def test_the_same_seed_is_the_same_speech_beside_itself(visit: Visit) -> None:
    visit.play_where_there_is_room(SHORT, places=2, seed="11")
    visit.wait_until("rows => rows.every(row => row.dataset.state === 'finished')", 2)
    one, other = (from_bytes(visit.download(k)[1][HEADER_BYTES:]) for k in range(2))
    assert_equal_speech(one, other)
    assert np.abs(one).max() > 1000


def test_cancel_is_silence_within_100_ms_and_frees_the_slot(visit: Visit, stack: Stack) -> None:
    visit.play_where_there_is_room(LONG, places=1)
    visit.wait_for("sounding")
    visit.row().locator("[data-part=stop]").click()
    visit.wait_for("cancelled")
    visit.page.wait_for_selector("[data-part=silence]:not(:text('–'))")
    assert visit.milliseconds("silence") < 100
    wait_until(lambda: token_load(stack).running_streams == 0, 5)
    kept = visit.download()[1][HEADER_BYTES:]
    assert kept
    assert b"".join(visit.arrived).startswith(kept)


def test_escape_stops_all_of_them(visit: Visit, stack: Stack) -> None:
    visit.play_where_there_is_room(LONG, places=1)
    visit.play(LONG)
    visit.page.keyboard.press("Escape")
    visit.wait_until("rows => rows.every(row => ['cancelled', 'failed'].includes(row.dataset.state))", 2)
    wait_until(lambda: token_load(stack).running_streams == 0, 5)


@pytest.mark.parametrize(
    ("text", "seed", "voice"),
    [(SHORT, "", "nobody"), ("…", "", ""), (SHORT, "18446744073709551616", ""), ("क" * 5001, "", "")],
    ids=["unknown voice", "nothing to say", "seed too large", "text too long"],
)
def test_what_the_server_refuses_is_shown_in_its_own_words(
    visit: Visit, stack: Stack, text: str, seed: str, voice: str
) -> None:
    with pytest.raises(Refused) as refused:
        pcm_of(websocket_chunks(stack, Asked(text, seed=int(seed) if seed else None, voice=voice)))
    if voice:
        visit.in_page("voice => (document.querySelector('input[name=voice]').value = voice)", voice)
    visit.play(text, seed=seed)
    visit.wait_for("failed")
    assert visit.figure("error") == refused.value.sentence
    assert visit.row().locator("[data-part=download]").is_hidden()


def test_a_seed_that_is_no_number_is_refused_by_the_server_and_not_dropped(visit: Visit) -> None:
    visit.play(SHORT, seed="seven")
    visit.wait_for("failed")
    assert visit.figure("error") == "seed must be an integer, got a string"


def test_a_server_that_goes_away_is_said_to_have_gone(browser: Browser, fresh_stack: Stack) -> None:
    with visiting(browser, fresh_stack.http_address) as visit:
        visit.play(LONG)
        visit.wait_for("sounding")
        fresh_stack.services["gateway"].kill()
        visit.wait_for("failed")
        assert visit.figure("error") == "The connection ended before the speech did (close code 1006)."
        assert visit.row().locator("[data-part=download]").is_enabled(), "what was heard can be kept"
        visit.play(SHORT)
        visit.wait_for("failed")
        assert visit.figure("error") == "This server cannot be reached."
