"""What the events of a stream add up to, and the requests that go out; no I/O."""

import grpc
import numpy as np
import pytest

from swara.pcm import to_bytes
from swara.v1 import speech_service_pb2 as speech_pb2
from swara.v1 import token_service_pb2 as token_pb2
from swara_client.errors import Broken, Full, InvalidRequest, SpeechError, Unavailable, UnknownName, from_status
from swara_client.request import request_of
from swara_client.speech import Progress

LOUD = np.full(4_800, 9_000, np.int16)


def started() -> speech_pb2.SynthesizeResponse:
    return speech_pb2.SynthesizeResponse(
        started=speech_pb2.SpeechStarted(request_id="5f", voice="asha", seed=2**64 - 1, sample_rate_hz=24_000)
    )


def chunk(first_sample: int) -> speech_pb2.SynthesizeResponse:
    return speech_pb2.SynthesizeResponse(chunk=speech_pb2.SpeechChunk(first_sample=first_sample, pcm=to_bytes(LOUD)))


def finished(samples: int) -> speech_pb2.SynthesizeResponse:
    end = speech_pb2.SpeechFinished(reason=token_pb2.FINISH_REASON_END_OF_SPEECH, samples=samples, segments=1, frames=4)
    return speech_pb2.SynthesizeResponse(finished=end)


def test_a_whole_stream_adds_up() -> None:
    progress = Progress()
    assert len(progress.take(started())) == 0
    np.testing.assert_array_equal(progress.take(chunk(0)), LOUD)
    np.testing.assert_array_equal(progress.take(chunk(4_800)), LOUD)
    assert len(progress.take(finished(9_600))) == 0
    assert progress.take(None) is None
    assert progress.accepted().seed == 2**64 - 1
    assert (progress.finished.reason, progress.finished.frames) == ("end_of_speech", 4)
    assert progress.playback.audio_seconds == pytest.approx(0.4)
    assert progress.playback.first_audio_seconds is not None


def test_a_missing_chunk_is_noticed() -> None:
    progress = Progress()
    progress.take(started())
    with pytest.raises(Broken, match=r"expected sample 0, got sample 4800 \(request 5f\)"):
        progress.take(chunk(4_800))


def test_a_stream_that_is_cut_off_is_not_a_short_speech() -> None:
    progress = Progress()
    progress.take(started())
    progress.take(chunk(0))
    with pytest.raises(Unavailable, match="before the speech was finished"):
        progress.take(None)


def test_samples_that_were_announced_and_did_not_come_are_noticed() -> None:
    progress = Progress()
    for event in (started(), chunk(0), finished(9_600)):
        progress.take(event)
    with pytest.raises(Broken, match="9600 samples were announced, 4800 came"):
        progress.take(None)


def test_a_stream_that_does_not_begin_with_started_is_refused() -> None:
    with pytest.raises(Broken, match="first event was not `started`"):
        Progress().take(chunk(0))


def test_what_is_not_chosen_is_not_sent() -> None:
    request = request_of("हाँ", {})
    assert request.text == "हाँ"
    assert not request.speaker.HasField("seed")
    assert not request.speaker.sampling.HasField("temperature")
    assert request.priority == token_pb2.PRIORITY_INTERACTIVE


def test_a_zero_is_sent() -> None:
    request = request_of("हाँ", {"seed": 0, "temperature": 0.0, "top_k": 0, "priority": "batch"})
    assert request.speaker.HasField("seed")
    assert request.speaker.sampling.HasField("temperature")
    assert request.speaker.sampling.HasField("top_k")
    assert request.priority == token_pb2.PRIORITY_BATCH


@pytest.mark.parametrize("choices", [{"seed": -1}, {"seed": 2**64}, {"top_k": -5}, {"priority": "now"}, {"voice": 5}])
def test_what_no_message_can_carry_is_refused_before_it_is_sent(choices: dict) -> None:
    with pytest.raises(InvalidRequest, match="the request cannot be sent"):
        request_of("हाँ", choices)


def test_a_text_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="cannot be sent"):
        request_of("\ud800", {})


def test_a_misspelt_choice_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="no argument vioce"):
        request_of("हाँ", {"vioce": "asha"})


class Status(grpc.RpcError):
    """A failed call's status, as grpc hands it over."""

    def __init__(self, code: grpc.StatusCode, details: str, **metadata: str) -> None:
        super().__init__()
        self._parts = code, details, [(key.replace("_", "-"), value) for key, value in metadata.items()]

    def code(self) -> grpc.StatusCode:
        return self._parts[0]

    def details(self) -> str:
        return self._parts[1]

    def trailing_metadata(self) -> list[tuple[str, str]]:
        return self._parts[2]


@pytest.mark.parametrize(
    ("status", "kind", "sentence"),
    [
        (
            Status(grpc.StatusCode.INVALID_ARGUMENT, "no voice", swara_error="unknown_name", swara_request_id="5f"),
            UnknownName,
            "no voice (request 5f)",
        ),
        (Status(grpc.StatusCode.INVALID_ARGUMENT, "no"), InvalidRequest, "no"),
        (
            Status(grpc.StatusCode.UNAVAILABLE, "the audio service went away", swara_error="unavailable"),
            Unavailable,
            "the audio service went away",
        ),
        (
            Status(grpc.StatusCode.UNAVAILABLE, "ipv4:127.0.0.1:1: Connection refused"),
            Unavailable,
            "the gateway at here went away or cannot be reached",
        ),
        (Status(grpc.StatusCode.DATA_LOSS, ""), Broken, "the gateway at here failed without a sentence (DATA_LOSS)"),
    ],
)
def test_a_status_becomes_the_error_it_stands_for(status: Status, kind: type[SpeechError], sentence: str) -> None:
    error = from_status(status, "here")
    assert type(error) is kind
    assert str(error) == sentence


@pytest.mark.parametrize(("hint", "seconds"), [("1.5", 1.5), ("soon", None), ("-3", 0.0)])
def test_full_brings_the_retry_hint_along(hint: str, seconds: float | None) -> None:
    error = from_status(
        Status(grpc.StatusCode.RESOURCE_EXHAUSTED, "full", swara_retry_after_seconds=hint), "here", "5f"
    )
    assert type(error) is Full
    assert (error.retry_after_seconds, error.request_id) == (seconds, "5f")


def test_a_message_that_grpc_finds_too_large_is_the_callers_to_change() -> None:
    error = from_status(Status(grpc.StatusCode.RESOURCE_EXHAUSTED, "Received message larger than max"), "here")
    assert type(error) is InvalidRequest
