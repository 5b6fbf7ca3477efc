"""journey.py: one segment over several replicas; each sample once, and no frame without the ones before."""

import asyncio

import pytest

from gateway.replicas.audio_client import AudioClient
from gateway.replicas.journey import Journey, OtherModel
from gateway.replicas.replica import Replica
from gateway.speech.segment import SegmentChunk, SegmentFinished, SegmentOrder, SegmentStarted
from swara.errors import Broken
from swara.frames import FRAME_BYTES, SAMPLES_PER_FRAME
from swara.speech import AdmissionClass, FinishReason, Priority, Sampling

ORDER = SegmentOrder("r1", 0, "t", "v", Sampling(), 7, AdmissionClass.NEW, Priority.INTERACTIVE, None, 0.0)
STARTED = SegmentStarted("f1", "v", 24_000)
FRAME = bytes(range(FRAME_BYTES))
PCM = bytes(2 * SAMPLES_PER_FRAME)


def journey_so_far() -> Journey:
    """One that has heard a frame's samples and knows two frames."""
    journey = Journey(ORDER)
    journey.begin()
    journey.take(STARTED)
    journey.take(SegmentChunk(0, PCM, 0, 2 * FRAME))
    return journey


def test_a_new_segment_is_asked_for_as_it_was_ordered() -> None:
    journey = Journey(ORDER)
    assert journey.begin() == ORDER
    assert journey.is_new


def test_the_next_replica_goes_on_after_the_frames_and_samples_that_came_and_may_not_refuse() -> None:
    journey = journey_so_far()
    order = journey.begin()
    assert (order.resume_codes, order.first_sample) == (2 * FRAME, SAMPLES_PER_FRAME)
    assert order.admission_class is AdmissionClass.RESUMED
    assert not journey.is_new


def test_the_listener_is_told_once_that_it_started() -> None:
    journey = Journey(ORDER)
    journey.begin()
    assert journey.take(STARTED)
    journey.begin()
    assert not journey.take(STARTED)
    assert journey.take(SegmentChunk(0, PCM, 0, FRAME))
    assert journey.take(SegmentFinished(FinishReason.END_OF_SPEECH, SAMPLES_PER_FRAME, 1, 0.0, 0.0, 0.0, 0.0))
    assert journey.finished


@pytest.mark.parametrize("chunk", [SegmentChunk(0, PCM, 2, FRAME), SegmentChunk(SAMPLES_PER_FRAME, PCM, 1, FRAME)])
def test_a_replica_that_goes_on_elsewhere_than_it_was_told_is_found_out(chunk: SegmentChunk) -> None:
    journey = journey_so_far()
    journey.begin()
    with pytest.raises(Broken, match="was due"):
        journey.take(chunk)


def test_another_model_may_not_go_on() -> None:
    journey = journey_so_far()
    journey.begin()
    with pytest.raises(OtherModel, match="begun with model f1, and what is left to go on with has model f2"):
        journey.take(SegmentStarted("f2", "v", 24_000))


def test_only_a_replica_that_had_taken_the_text_can_have_crashed_because_of_it() -> None:
    async def story() -> None:
        journey, away, dead = journey_so_far(), Replica(AudioClient("h:1")), Replica(AudioClient("h:2"))
        journey.failed(dead, crashed=True)
        journey.begin()
        journey.failed(away, crashed=True)
        assert journey.crashes == 1
        assert journey.excluded == {dead, away}
        journey.begin()
        journey.take(STARTED)
        assert journey.excluded == {dead}
        journey.take(SegmentChunk(SAMPLES_PER_FRAME, PCM, 2, FRAME))
        assert journey.excluded == set()
        assert journey.crashes == 1

    asyncio.run(story())


def test_who_was_full_or_away_before_another_took_the_text_may_go_on_with_it() -> None:
    async def story() -> None:
        full, away, taker = (Replica(AudioClient(f"h:{port}")) for port in (1, 2, 3))
        journey = Journey(ORDER)
        journey.begin()
        journey.full.add(full)
        journey.failed(away, crashed=True)
        journey.begin()
        journey.take(STARTED)
        journey.failed(taker, crashed=True)
        assert journey.excluded == {taker}

    asyncio.run(story())
