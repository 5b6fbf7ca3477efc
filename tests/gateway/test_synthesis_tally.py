"""tally.py, script.py and admission.py: plain classes fed by calls."""

import asyncio
import time

import pytest

from gateway.access.admission import Admission
from gateway.model import Model
from gateway.request import SpeechRequest
from gateway.speech.script import Script
from gateway.speech.segment import SegmentChunk, SegmentFinished
from gateway.speech.tally import Tally
from gateway.speech.texts import Written
from swara.errors import Broken, Full, Unavailable, UnknownName
from swara.frames import FRAME_BYTES, SAMPLES_PER_FRAME
from swara.profile import Voice
from swara.speech import AdmissionClass, FinishReason, segment_seed
from swara.stopwatch import Stopwatch

FRAME = bytes(FRAME_BYTES)
PCM = bytes(2 * SAMPLES_PER_FRAME)
MODEL = Model("m", "f", (Voice("a", "hi"), Voice("b", "hi")), ("hi",), 24_000, 200)


def ended(samples: int, frames: int) -> SegmentFinished:
    return SegmentFinished(FinishReason.END_OF_SPEECH, samples, frames, 0.1, 0.2, 0.3, 0.4)


def test_samples_are_counted_from_the_start_of_the_synthesis_and_frames_from_the_segments() -> None:
    tally = Tally(Stopwatch())
    first = tally.chunk(0, SegmentChunk(0, PCM, 0, FRAME))
    tally.segment(ended(SAMPLES_PER_FRAME, 1))
    second = tally.chunk(1, SegmentChunk(0, PCM, 0, FRAME))
    assert first
    assert second
    assert (first.first_sample, second.first_sample) == (0, SAMPLES_PER_FRAME)
    assert (second.segment, second.first_frame) == (1, 0)


def test_frames_that_wait_for_their_lookahead_come_with_the_next_samples_and_no_chunk_is_empty() -> None:
    tally = Tally(Stopwatch())
    assert tally.chunk(0, SegmentChunk(0, b"", 0, FRAME)) is None
    assert tally.chunk(0, SegmentChunk(0, b"", 1, 2 * FRAME)) is None
    chunk = tally.chunk(0, SegmentChunk(0, PCM, 3, FRAME))
    assert chunk
    assert (chunk.first_frame, chunk.codes) == (0, 4 * FRAME)


def test_the_first_token_is_counted_from_the_order_that_was_taken_and_comes_before_its_sound() -> None:
    tally = Tally(Stopwatch())
    time.sleep(0.05)  # For the writer of the text, or for room.
    tally.taken()
    time.sleep(0.05)
    tally.chunk(0, SegmentChunk(0, PCM, 0, FRAME))
    tally.segment(SegmentFinished(FinishReason.END_OF_SPEECH, SAMPLES_PER_FRAME, 1, 0.01, 0.01, 0.3, 0.4))
    timings = tally.finished(1).timings
    assert 0.07 <= timings.first_token_seconds <= timings.first_chunk_seconds


def test_samples_without_new_frames_are_passed_on() -> None:
    tally = Tally(Stopwatch())
    tally.chunk(0, SegmentChunk(0, PCM, 0, FRAME))
    chunk = tally.chunk(0, SegmentChunk(SAMPLES_PER_FRAME, PCM, 0, b""))
    assert chunk
    assert (chunk.first_sample, chunk.codes) == (SAMPLES_PER_FRAME, b"")


@pytest.mark.parametrize("piece", [SegmentChunk(1, PCM, 0, FRAME), SegmentChunk(0, PCM, 1, FRAME)])
def test_a_missing_sample_or_frame_is_an_error_and_never_a_click(piece: SegmentChunk) -> None:
    with pytest.raises(Broken, match="was due"):
        Tally(Stopwatch()).chunk(0, piece)


def test_a_segment_that_lost_its_last_samples_is_an_error() -> None:
    tally = Tally(Stopwatch())
    tally.chunk(0, SegmentChunk(0, PCM, 0, FRAME))
    with pytest.raises(Broken):
        tally.segment(ended(2 * SAMPLES_PER_FRAME, 2))


def test_a_synthesis_whose_last_segment_never_ended_is_an_error() -> None:
    with pytest.raises(Broken, match="0 of 1"):
        Tally(Stopwatch()).finished(1)


def test_the_end_sums_the_segments() -> None:
    tally = Tally(Stopwatch())
    for segment in range(2):
        tally.chunk(segment, SegmentChunk(0, PCM, 0, FRAME))
        tally.segment(ended(SAMPLES_PER_FRAME, 1))
    finished = tally.finished(2)
    assert (finished.samples, finished.frames, finished.segments) == (2 * SAMPLES_PER_FRAME, 2, 2)
    assert finished.timings.decode_seconds == pytest.approx(0.6)
    assert finished.timings.codec_seconds == (0.4, 0.4)


def test_only_the_first_segment_may_be_refused_and_each_has_the_published_seed() -> None:
    script = Script(SpeechRequest("r1", "…"), "m", "a", 7, Written(("x", "y", "z")), 0.0)
    orders = [script.order(k, "x") for k in range(3)]
    assert [order.admission_class for order in orders] == [AdmissionClass.NEW, *2 * [AdmissionClass.CONTINUING]]
    assert [order.seed for order in orders] == [segment_seed(7, k) for k in range(3)]


def test_a_segments_deadline_is_what_is_left_of_the_callers() -> None:
    script = Script(SpeechRequest("r1", "…", timeout_seconds=0.0), "m", "a", 7, Written(("x",)), 0.0)
    assert script.order(0, "x").timeout_seconds == 0.0


def test_an_unknown_voice_is_told_the_known_ones() -> None:
    assert (MODEL.voice("").name, MODEL.voice("b").name) == ("a", "b")
    with pytest.raises(UnknownName, match=r"no voice 'zoé'; it has a, b"):
        MODEL.voice("zoé")


def test_past_the_last_place_full_is_said_at_once_and_a_place_that_is_left_is_free() -> None:
    admission = Admission(1)
    with admission.place(), pytest.raises(Full, match="all 1 streams"), admission.place():
        pass
    with admission.place():
        pass


def test_what_another_gateway_has_begun_draws_on_a_reserve_and_not_without_end() -> None:
    admission = Admission(1)
    resumed = AdmissionClass.RESUMED
    with admission.place(), admission.place(resumed), pytest.raises(Full), admission.place(resumed):
        pass


def test_a_draining_gateway_admits_nobody_and_waits_for_those_inside() -> None:
    async def story() -> None:
        admission = Admission(2)
        with admission.place():
            assert not await admission.drain(0.01)
            with pytest.raises(Unavailable), admission.place():
                pass
        assert await admission.drain(0.01)

    asyncio.run(story())
