"""The speech API in every format: the same speech as the PCM door's, streamed, in OpenAI's words."""

import base64
import json
from typing import Any

import httpx
import pytest

from gateway.encoders import FORMATS
from swara.pcm import from_bytes
from swara.stack import Stack
from tests.gateway.formats import LOSSLESS, RATE_HZ, TELEPHONE, decoded, likeness
from tests.stack.doors import LONG, SHORT, Asked, assert_equal_speech, http_chunks, pcm_of, token_load, url

# How alike a format's speech is to the PCM door's: 8 kHz lack what is above 3.2 kHz.
LIKENESS = 0.97
PATIENCE_SECONDS = 60.0


def spoken(stack: Stack, **fields: Any) -> httpx.Response:
    return httpx.post(url(stack), json={"input": SHORT, "seed": 7, **fields}, timeout=PATIENCE_SECONDS)


def events_of(answer: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data: ")) for line in answer.text.split("\n\n") if line]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_the_speech_of_the_pcm_door(stack: Stack, name: str) -> None:
    pcm = from_bytes(pcm_of(http_chunks(stack, Asked(SHORT))))
    answer = spoken(stack, response_format=name)
    assert answer.headers["content-type"] == FORMATS[name].content_type
    assert answer.headers["x-swara-sample-rate-hz"] == ("8000" if name in TELEPHONE else "24000")
    heard = decoded(name, answer.content)
    if name in LOSSLESS:
        assert_equal_speech(heard, pcm)
    else:
        assert likeness(pcm, heard) > LIKENESS
        assert len(heard) / RATE_HZ == pytest.approx(len(pcm) / RATE_HZ, abs=0.12)


def test_the_default_format_is_mp3_as_openais_is(stack: Stack) -> None:
    answer = spoken(stack)
    assert answer.headers["content-type"] == "audio/mpeg"
    assert answer.content == spoken(stack, response_format="mp3").content


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_comes_while_it_is_spoken(stack: Stack, name: str) -> None:
    body = {"input": LONG, "response_format": name, "seed": 7}
    with httpx.stream("POST", url(stack), json=body, timeout=PATIENCE_SECONDS) as answer:
        pieces = answer.iter_bytes()
        first = next(pieces)
        assert token_load(stack).running_streams > 0
        assert len(decoded(name, first + next(pieces))) > 0
        # The connection is dropped here, seconds before the speech would be over.
    assert len(first) < 20_000


def test_speed_and_sample_rate_together_change_length_and_rate_only(stack: Stack) -> None:
    pcm = from_bytes(pcm_of(http_chunks(stack, Asked(SHORT))))
    answer = spoken(stack, response_format="pcm", speed=1.5, sample_rate=16_000)
    assert answer.headers["x-swara-sample-rate-hz"] == "16000"
    assert len(answer.content) / 2 / 16_000 == pytest.approx(len(pcm) / RATE_HZ / 1.5, rel=0.03)


def test_server_sent_events_carry_the_same_audio_and_why_it_ended(stack: Stack) -> None:
    answer = spoken(stack, response_format="wav", stream_format="sse")
    *deltas, done = events_of(answer)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert {event["type"] for event in deltas} == {"speech.audio.delta"}
    assert len(deltas) > 3
    audio = b"".join(base64.b64decode(event["audio"]) for event in deltas)
    assert_equal_speech(from_bytes(audio[44:]), from_bytes(spoken(stack, response_format="pcm").content))
    assert (done["type"], done["reason"]) == ("speech.audio.done", "end_of_speech")
    assert done["speech_seconds"] == pytest.approx(len(audio[44:]) / 2 / RATE_HZ, abs=1e-4)
    assert (
        done["usage"]["total_tokens"] == done["usage"]["output_tokens"] == 7 * round(done["speech_seconds"] / 0.0853333)
    )


def test_what_fails_before_the_first_sample_is_a_status_in_either_stream_format(stack: Stack) -> None:
    for stream_format in ("audio", "sse"):
        answer = spoken(stack, voice="nobody", stream_format=stream_format)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "unknown_name"


def test_a_service_that_dies_mid_stream_is_an_error_event(fresh_stack: Stack) -> None:
    body = {"input": LONG, "stream_format": "sse", "response_format": "pcm"}
    with httpx.stream("POST", url(fresh_stack), json=body, timeout=PATIENCE_SECONDS) as answer:
        lines = (line for line in answer.iter_lines() if line)
        assert json.loads(next(lines).removeprefix("data: "))["type"] == "speech.audio.delta"
        fresh_stack.services["token_service"].kill()
        *_, last = lines
    error = json.loads(last.removeprefix("data: "))
    assert (error["type"], error["error"]["type"]) == ("error", "server_error")
    assert answer.headers["x-request-id"] in error["error"]["message"]
