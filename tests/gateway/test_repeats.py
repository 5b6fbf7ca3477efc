"""A segment that ran away before anything of it was heard is spoken once more, as the one that follows it."""

import asyncio

import numpy as np
import pytest

from gateway.speech.segment import SegmentChunk, SegmentFinished
from gateway.speech.tally import Tally
from gateway.speech.texts import Repeatable, Written
from swara.frames import SAMPLES_PER_FRAME
from swara.pcm import to_bytes
from swara.speech import FinishReason
from swara.stopwatch import Stopwatch

SILENCE = np.zeros(SAMPLES_PER_FRAME, np.int16)
TONE = (3_000 * np.sin(np.arange(SAMPLES_PER_FRAME) / 20)).astype(np.int16)


def spoken(texts: Repeatable, repeated: set[int]) -> list[str]:
    """The texts in the order in which they are spoken."""

    async def main() -> list[str]:
        said: list[str] = []
        while (text := await texts.segment(len(said))) is not None:
            if len(said) in repeated:
                texts.repeat(len(said))
            assert texts.rest(len(said))[0] == text
            said.append(text)
        return said

    return asyncio.run(main())


def test_a_repeated_segment_comes_twice_and_the_others_once() -> None:
    assert spoken(Repeatable(Written(("a", "b", "c"))), {0, 3}) == ["a", "a", "b", "c", "c"]
    assert spoken(Repeatable(Written(("a", "b"))), set()) == ["a", "b"]


@pytest.mark.parametrize(
    ("reason", "samples", "said_nothing"),
    [
        (FinishReason.RUNAWAY, SILENCE, True),
        (FinishReason.RUNAWAY, TONE, False),
        (FinishReason.END_OF_SPEECH, SILENCE, False),
        (FinishReason.MAX_FRAMES, SILENCE, False),
    ],
)
def test_only_a_runaway_of_which_nothing_was_heard_said_nothing(
    reason: FinishReason, samples: np.ndarray, said_nothing: bool
) -> None:
    tally = Tally(Stopwatch())
    tally.chunk(0, SegmentChunk(0, to_bytes(samples), 0, b""))
    tally.segment(SegmentFinished(reason, SAMPLES_PER_FRAME, 1, 0.0, 0.0, 0.0, 0.0))
    assert tally.said_nothing is said_nothing


def test_a_later_segment_is_judged_by_itself() -> None:
    tally = Tally(Stopwatch())
    for samples in (TONE, SILENCE):
        tally.chunk(0, SegmentChunk(0, to_bytes(samples), 0, b""))
        tally.segment(SegmentFinished(FinishReason.RUNAWAY, SAMPLES_PER_FRAME, 1, 0.0, 0.0, 0.0, 0.0))
    assert tally.said_nothing
