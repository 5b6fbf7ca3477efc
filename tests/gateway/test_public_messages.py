"""messages.py and request_id.py: the public wire to values and back."""

import math

import pytest

from gateway.doors.grpc import messages
from gateway.events import Chunk, Finished, Started, Timings
from gateway.model import Model
from gateway.request_id import resolve, with_id
from swara.errors import InvalidRequest
from swara.profile import Voice
from swara.speech import FinishReason, Priority, Sampling
from swara.stopwatch import Stopwatch
from swara.v1 import speech_service_pb2 as speech
from swara.v1 import token_service_pb2 as token


def test_a_request_keeps_which_fields_were_set() -> None:
    speaker = speech.Speaker(model="m", voice="v", seed=0, sampling=token.Sampling(top_k=0))
    message = speech.SynthesizeRequest(text="t", speaker=speaker, priority=token.PRIORITY_BATCH)
    request = messages.speech_request(message, "r1", 3.0, Stopwatch())
    assert (request.seed, request.sampling) == (0, Sampling(top_k=0))
    assert (request.priority, request.timeout_seconds) == (Priority.BATCH, 3.0)


def test_a_request_that_sets_nothing_has_no_seed_and_is_interactive() -> None:
    request = messages.speech_request(speech.SynthesizeRequest(text="t"), "r1", None, Stopwatch())
    assert (request.seed, request.sampling, request.priority) == (None, Sampling(), Priority.INTERACTIVE)
    assert request.remaining_seconds is None


@pytest.mark.parametrize(
    ("start", "first_sample", "wanted"),
    [
        (speech.LISTEN_FROM_UNSPECIFIED, 0, 0),
        (speech.LISTEN_FROM_START, 0, 0),
        (speech.LISTEN_FROM_LIVE, 0, None),
        (speech.LISTEN_FROM_SAMPLE, 4096, 4096),
    ],
)
def test_a_listener_joins_at_a_sample_or_live(start: int, first_sample: int, wanted: int | None) -> None:
    message = speech.ListenRequest(synthesis_id="s", first_sample=first_sample, **{"from": start})
    assert messages.listen_request(message, "r1", None, "").first_sample == wanted


def test_a_sample_to_join_at_needs_to_be_asked_for() -> None:
    with pytest.raises(InvalidRequest, match="LISTEN_FROM_SAMPLE only"):
        messages.listen_request(speech.ListenRequest(synthesis_id="s", first_sample=1), "r1", None, "")


def test_a_number_that_stands_for_nothing_is_refused_with_what_there_is() -> None:
    with pytest.raises(InvalidRequest, match="PRIORITY_BATCH, got 7"):
        messages.speech_request(speech.SynthesizeRequest(text="t", priority=7), "r1", None, Stopwatch())
    with pytest.raises(InvalidRequest, match="LISTEN_FROM_SAMPLE, got 9"):
        messages.listen_request(speech.ListenRequest(synthesis_id="s", **{"from": 9}), "r1", None, "")


@pytest.mark.parametrize(("given_ms", "seconds"), [(0, None), (100, 0.1), (60_000, 60.0)])
def test_text_waits_for_its_sentence_as_long_as_it_takes_or_a_minute_at_most(
    given_ms: int, seconds: float | None
) -> None:
    assert messages.patience_seconds(speech.StreamConfiguration(max_buffer_delay_ms=given_ms)) == seconds
    with pytest.raises(InvalidRequest, match="max_buffer_delay_ms must be between 0 and 60000"):
        messages.patience_seconds(speech.StreamConfiguration(max_buffer_delay_ms=60_001 + given_ms))


def test_events_become_messages_with_the_same_values() -> None:
    started = messages.response(
        Started("r1", "s1", "m", "f", "v", 2**64 - 1, 24_000), speech.SynthesizeResponse
    ).started
    assert (started.request_id, started.synthesis_id, started.seed) == ("r1", "s1", 2**64 - 1)
    chunk = messages.response(Chunk(2, 4096, b"\1\2", 1, b"codes"), speech.ListenResponse).chunk
    assert (chunk.segment, chunk.first_sample, chunk.pcm) == (2, 4096, b"\1\2")
    end = Finished(FinishReason.RUNAWAY, 2048, 1, 1, Timings(0.5, 1.0, 0.1, 0.0, 0.1, 0.2, (0.3,)))
    finished = messages.response(end, speech.StreamSynthesizeResponse).finished
    assert (finished.reason, finished.samples, finished.frames) == (token.FINISH_REASON_RUNAWAY, 2048, 1)
    assert (finished.first_chunk_seconds, finished.total_seconds) == (0.5, 1.0)


class Writing:
    """A writer of whom text was last waited for so long ago."""

    may_be_awaited = False

    def __init__(self, since_awaited_seconds: float) -> None:
        self.since_awaited_seconds = since_awaited_seconds


@pytest.mark.parametrize(("since_seconds", "told"), [(0.0, True), (0.5, True), (math.inf, False)])
def test_of_a_text_that_is_being_written_each_chunk_says_when_it_was_last_waited_for(
    since_seconds: float, told: bool
) -> None:
    writer = Writing(since_seconds)
    started = messages.response(Started("r", "s", "m", "f", "v", 1, 24_000, writer), speech.ListenResponse).started
    assert started.being_written
    chunk = messages.response(Chunk(0, 0, b"\1\2", 0, b""), speech.ListenResponse, writer).chunk
    assert chunk.HasField("since_text_awaited_seconds") == told
    assert not told or chunk.since_text_awaited_seconds == since_seconds


def test_of_a_text_that_is_there_nothing_is_waited_for() -> None:
    started = messages.response(Started("r", "s", "m", "f", "v", 1, 24_000), speech.ListenResponse).started
    chunk = messages.response(Chunk(0, 0, b"\1\2", 0, b""), speech.ListenResponse).chunk
    assert not started.being_written
    assert not chunk.HasField("since_text_awaited_seconds")


def test_voices_are_listed_with_their_model() -> None:
    model = Model("m", "f", (Voice("a", "hi", "calm"), Voice("b", "en", "", ("Latin",))), ("hi", "en"), 24_000, 200)
    listed = messages.voices([model]).voices
    assert [(item.model, item.voice.name, item.voice.language, list(item.voice.scripts)) for item in listed] == [
        ("m", "a", "hi", []),
        ("m", "b", "en", ["Latin"]),
    ]


@pytest.mark.parametrize("given", ["abc", "A.b_c-9", "x" * 64])
def test_a_sane_request_id_is_kept(given: str) -> None:
    assert resolve(given) == given


@pytest.mark.parametrize("given", [None, "", "x" * 65, "a b", "a\nb", "é", b"\xff", "a/b"])
def test_any_other_request_id_is_replaced(given: str | bytes | None) -> None:
    assert resolve(given) != given
    assert len(resolve(given)) == 32


def test_the_request_id_is_in_a_sentence_once() -> None:
    assert with_id(InvalidRequest("no"), "r1") == "no (request r1)"
    assert with_id(InvalidRequest("no (request r1)"), "r1") == "no (request r1)"
