"""manuscript.py and texts.py: a text while it is being written, and when its segments are there."""

import asyncio
from collections.abc import Coroutine, Iterator
from typing import TypeVar

import pytest

from gateway.speech.manuscript import HELD_CHARACTERS, Manuscript, Mark
from gateway.speech.texts import Arriving, Written
from gateway.text import Segmenter
from swara.errors import InvalidRequest, TimedOut

T = TypeVar("T")
SENTENCE = "वह आज सुबह बाज़ार गया और शाम को लौटा। "
LONG_SECONDS = 5.0


def run(story: Coroutine[None, None, T]) -> T:
    return asyncio.run(story)


def manuscript(
    patience_seconds: float | None = None, pause_seconds: float = LONG_SECONDS, limit: int = 1_000
) -> Manuscript:
    return Manuscript(limit, patience_seconds, pause_seconds)


async def is_waiting(waits: asyncio.Task[object]) -> bool:
    await asyncio.sleep(0.01)
    return not waits.done()


def test_what_is_written_comes_out_in_order() -> None:
    async def story() -> list[str | Mark]:
        text = manuscript()
        text.write("a")
        text.write("")
        text.flush()
        text.write("b")
        text.end()
        return [await text.take() for _ in range(4)]

    assert run(story()) == ["a", Mark.FLUSH, "b", Mark.END]


def test_flushes_with_nothing_between_them_are_one_and_hold_nothing() -> None:
    async def story() -> list[str | Mark | None]:
        text = manuscript()
        text.write("a")
        for _ in range(1_000):
            text.flush()
        text.write("b")
        text.flush()
        return [text.take_written() for _ in range(5)]

    assert run(story()) == ["a", Mark.FLUSH, "b", Mark.FLUSH, None]


def test_a_segment_is_there_as_soon_as_its_sentence_is_and_the_rest_at_the_end() -> None:
    async def story() -> None:
        text = manuscript()
        texts = Arriving(text, Segmenter(200))
        first = asyncio.create_task(texts.segment(0))
        text.write(SENTENCE[:-2])
        assert await is_waiting(first)
        text.write(SENTENCE[-2:] + SENTENCE)
        assert await first == SENTENCE.strip()
        text.write("और फिर")
        text.end()
        rest = [await texts.segment(k) for k in (1, 2)]
        assert " ".join(part for part in rest if part) == SENTENCE + "और फिर"
        assert await texts.segment(3) is None

    run(story())


def test_a_flush_makes_a_segment_of_what_has_come() -> None:
    async def story() -> None:
        text = manuscript()
        texts = Arriving(text, Segmenter(200))
        text.write("हाँ जी")
        text.flush()
        assert await texts.segment(0) == "हाँ जी"
        assert texts.rest(0) == ("हाँ जी",)

    run(story())


def test_text_waits_for_the_end_of_its_sentence_only_so_long() -> None:
    async def story() -> float:
        text = manuscript(patience_seconds=0.05)
        texts = Arriving(text, Segmenter(200))
        text.write("हाँ जी, मैं")
        began = asyncio.get_running_loop().time()
        assert await texts.segment(0) == "हाँ जी, मैं"
        return asyncio.get_running_loop().time() - began

    assert 0.04 < run(story()) < 0.5


def test_a_writer_who_falls_silent_for_too_long_is_told_so() -> None:
    async def story() -> None:
        text = manuscript(pause_seconds=0.05)
        text.write("हाँ")
        await text.take()
        await text.take()

    with pytest.raises(TimedOut, match=r"no text came for 0\.05 s"):
        run(story())


def test_it_tells_how_long_ago_text_was_last_waited_for() -> None:
    async def story() -> None:
        text = manuscript()
        text.write("a")
        await text.take()
        assert text.since_awaited_seconds == float("inf"), "it was there already"
        waits = asyncio.create_task(text.take())
        assert await is_waiting(waits)
        assert text.since_awaited_seconds == 0.0
        text.write("b")
        await waits
        await asyncio.sleep(0.02)
        assert 0.02 <= text.since_awaited_seconds < LONG_SECONDS

    run(story())


def test_too_much_text_is_refused_with_both_numbers() -> None:
    async def story() -> None:
        text = manuscript(limit=10)
        text.write("x" * 6)
        text.write("x" * 6)

    with pytest.raises(InvalidRequest, match="12 characters, the limit is 10"):
        run(story())


def test_half_a_surrogate_pair_and_text_after_the_end_are_refused() -> None:
    async def story() -> None:
        text = manuscript()
        with pytest.raises(InvalidRequest, match="surrogate"):
            text.write("\ud83d")
        text.end()
        text.end()
        for write in (lambda: text.write("x"), text.flush):
            with pytest.raises(InvalidRequest, match="after the end of the text"):
                write()

    run(story())


def test_a_writer_far_ahead_waits_until_some_of_it_has_been_taken() -> None:
    async def story() -> None:
        text = manuscript(limit=10 * HELD_CHARACTERS)
        text.write("x" * HELD_CHARACTERS)
        text.write("y")
        waits = asyncio.create_task(text.room())
        assert await is_waiting(waits)
        await text.take()
        await waits

    run(story())


def test_a_written_text_gives_its_segments_at_once_from_any_on() -> None:
    texts = Written(("b", "c"), first_segment=1)
    assert [run(texts.segment(k)) for k in (1, 2, 3)] == ["b", "c", None]
    assert texts.rest(2) == ("c",)


def test_a_written_text_is_read_as_far_as_it_is_wanted_and_a_segment_is_read_once() -> None:
    read: list[str] = []

    def reading() -> Iterator[str]:
        for part in "abcd":
            read.append(part)
            yield part

    texts = Written(reading())
    assert [run(texts.segment(k)) for k in (0, 0, 1)] == ["a", "a", "b"]
    assert read == ["a", "b"]
    assert texts.rest(2) == ("c", "d")
    assert run(texts.segment(4)) is None


def test_of_a_text_that_is_being_written_only_what_has_come_is_known() -> None:
    async def story() -> None:
        text = manuscript()
        texts = Arriving(text, Segmenter(200))
        assert texts.known(0) is None
        text.write(SENTENCE)
        assert texts.known(0) is None
        text.write(SENTENCE)
        assert (texts.known(0), texts.known(1)) == (SENTENCE.strip(), None)
        text.end()
        assert texts.known(1) == await texts.segment(1) == SENTENCE.strip()
        assert texts.known(2) is await texts.segment(2) is None

    run(story())
