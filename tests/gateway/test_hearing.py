"""What is counted of a listener, and when."""

import numpy as np
import pytest
from prometheus_client import REGISTRY

from gateway.events import Timings
from gateway.hearing import Hearing
from gateway.metrics import Door, GatewayMetrics
from gateway.sharing.relay import DistantWriter
from swara.frames import SAMPLE_RATE_HZ
from swara.pcm import to_bytes
from swara.player import Player
from swara.stopwatch import Stopwatch
from swara.v1.speech_service_pb2 import SpeechChunk

ESTIMATED = "swara_gateway_estimated"


class Clock(Stopwatch):
    """A stopwatch that is set by hand."""

    at_seconds = 0.0

    @property
    def seconds(self) -> float:
        return self.at_seconds


class Writing:
    """A writer whose text came at a time that is set by hand; never while it is None."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.came_seconds: float | None = 0.0

    @property
    def since_awaited_seconds(self) -> float:
        return 0.0 if self.came_seconds is None else self._clock.seconds - self.came_seconds

    @property
    def may_be_awaited(self) -> bool:
        return self.came_seconds is None


@pytest.fixture(autouse=True)
def watched(metrics: GatewayMetrics) -> None:
    metrics.watch([], 8)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hearing(metrics: GatewayMetrics, clock: Clock) -> Hearing:
    return Hearing(metrics, Door.GRPC, "m", Player(), clock)


def counted(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def estimated(name: str, **labels: str) -> float | None:
    return counted(f"{ESTIMATED}_{name}", door="grpc", model="m", **labels)


def tone(seconds: float) -> bytes:
    samples = round(seconds * SAMPLE_RATE_HZ)
    return to_bytes((3_000 * np.sin(np.arange(samples) / 20)).astype(np.int16))


def test_a_model_has_its_zeros_as_soon_as_somebody_begins_to_listen(hearing: Hearing) -> None:
    assert estimated("underruns_total") == estimated("playbacks_total", heard="gaps") == 0
    assert estimated("first_audio_seconds_count") == 0


def test_first_audio_is_counted_when_it_is_heard_and_not_when_the_speech_ends(hearing: Hearing, clock: Clock) -> None:
    clock.at_seconds = 0.3
    hearing.hear(bytes(48_000))
    assert estimated("first_audio_seconds_count") == 0
    clock.at_seconds = 0.4
    hearing.hear(tone(0.1))
    assert (estimated("first_audio_seconds_count"), estimated("first_audio_seconds_sum")) == (1, 0.4)
    assert counted("swara_gateway_chunk_interval_seconds_sum", door="grpc") == pytest.approx(0.1)


def test_a_listener_whose_sound_has_stopped_is_seen_before_it_goes_on(hearing: Hearing, clock: Clock) -> None:
    hearing.hear(tone(0.5))
    assert counted(f"{ESTIMATED}_stalled_listeners") == 0
    clock.at_seconds = 0.6
    assert counted(f"{ESTIMATED}_stalled_listeners") == 1
    assert estimated("underruns_total") == 0
    clock.at_seconds = 0.7
    hearing.hear(tone(0.5))
    assert counted(f"{ESTIMATED}_stalled_listeners") == 0
    assert estimated("underruns_total") == 1
    hearing.finish()
    assert estimated("playbacks_total", heard="gaps") == 1
    assert estimated("playbacks_total", heard="whole") == 0
    assert estimated("gap_seconds_total") == pytest.approx(0.2)
    assert estimated_audio() == pytest.approx(1.0)


@pytest.fixture
def writing(clock: Clock) -> Writing:
    return Writing(clock)


@pytest.fixture
def live_hearing(metrics: GatewayMetrics, clock: Clock, writing: Writing) -> Hearing:
    return Hearing(metrics, Door.GRPC, "m", Player(), clock, writing)


def test_the_silence_while_nothing_is_written_is_no_gap(live_hearing: Hearing, writing: Writing, clock: Clock) -> None:
    live_hearing.hear(tone(0.5))
    clock.at_seconds, writing.came_seconds = 8.0, None
    assert counted(f"{ESTIMATED}_stalled_listeners") == 0
    clock.at_seconds, writing.came_seconds = 10.3, 10.0
    assert counted(f"{ESTIMATED}_stalled_listeners") == 0, "it begins anew, as it began"
    live_hearing.hear(tone(0.5))
    live_hearing.finish()
    assert estimated("underruns_total") == estimated("gap_seconds_total") == 0
    assert estimated("playbacks_total", heard="whole") == 1
    assert counted("swara_gateway_chunk_interval_seconds_count", door="grpc") == 0
    assert estimated("real_time_factor_count") == 0, "its speed is the writer's"


def test_text_that_came_before_the_sound_stopped_excuses_no_gap(
    live_hearing: Hearing, writing: Writing, clock: Clock
) -> None:
    live_hearing.hear(tone(0.5))
    clock.at_seconds, writing.came_seconds = 0.8, 0.4
    assert counted(f"{ESTIMATED}_stalled_listeners") == 1
    live_hearing.hear(tone(0.5))
    assert estimated("underruns_total") == 1
    live_hearing.finish()
    assert estimated("gap_seconds_total") == pytest.approx(0.3)


def test_a_writer_at_another_gateway_is_known_by_what_the_next_chunk_tells(
    metrics: GatewayMetrics, clock: Clock
) -> None:
    writer = DistantWriter()
    hearing = Hearing(metrics, Door.GRPC, "m", Player(), clock, writer)
    hearing.hear(tone(0.5))
    clock.at_seconds = 8.0
    assert counted(f"{ESTIMATED}_stalled_listeners") == 0, "nobody here knows whose silence it is"
    writer.told(SpeechChunk(since_text_awaited_seconds=0.3))
    hearing.hear(tone(0.5))
    assert estimated("underruns_total") == estimated("gap_seconds_total") == 0
    clock.at_seconds = 10.0
    writer.told(SpeechChunk(since_text_awaited_seconds=1.9))
    hearing.hear(tone(0.5))
    assert estimated("underruns_total") == 1, "that text came in time"


def test_who_has_left_is_stalled_no_more(hearing: Hearing, clock: Clock) -> None:
    hearing.hear(tone(0.5))
    clock.at_seconds = 2.0
    hearing.finish()
    assert counted(f"{ESTIMATED}_stalled_listeners") == 0


def test_encoding_is_no_part_of_writing(hearing: Hearing, clock: Clock) -> None:
    hearing.hear(tone(0.5))
    with hearing.delivering():
        with hearing.encoding():
            clock.at_seconds = 0.25
        clock.at_seconds = 0.35
    hearing.finish()
    assert counted("swara_gateway_stage_seconds_sum", stage="encode") == pytest.approx(0.25)
    assert counted("swara_gateway_stage_seconds_sum", stage="write") == pytest.approx(0.1)


def test_where_the_services_time_went_is_told_once_and_not_of_others_speeches(hearing: Hearing) -> None:
    hearing.timed(Timings(first_chunk_seconds=0.4, total_seconds=2.0))
    assert counted("swara_gateway_first_token_seconds_count") == 0
    hearing.timed(Timings(0.4, 2.0, 0.1, 0.02, 0.05, 1.5, (0.2, 0.3)))
    assert counted("swara_gateway_first_token_seconds_sum") == pytest.approx(0.1)
    spent = [
        counted("swara_gateway_stage_seconds_sum", stage=stage) for stage in ("queue", "prefill", "decode", "codec")
    ]
    assert spent == pytest.approx([0.02, 0.05, 1.5, 0.5])


def estimated_audio() -> float | None:
    return counted("swara_gateway_audio_seconds_total", door="grpc", model="m")
