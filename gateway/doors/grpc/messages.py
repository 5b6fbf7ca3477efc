"""The public messages of speech_service.proto: requests to values, events and models to messages."""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from gateway.events import Chunk, Finished, SpeechEvent, Started, Writer
from gateway.model import Model
from gateway.request import ListenRequest, SpeechRequest
from gateway.speech.manuscript import MAX_PATIENCE_MS, Manuscript
from swara import wire
from swara.errors import InvalidRequest
from swara.speech import Priority
from swara.stopwatch import Stopwatch
from swara.v1 import speech_service_pb2 as speech
from swara.v1 import token_service_pb2 as token


def speech_request(
    message: speech.SynthesizeRequest, request_id: str, timeout_seconds: float | None, arrival: Stopwatch
) -> SpeechRequest:
    """What the caller asks for; raises InvalidRequest."""
    if message.resume_token and (message.text or message.HasField("speaker")):
        raise InvalidRequest("a resume token says what is to be spoken and how: text and speaker must be empty with it")
    return replace(
        _spoken(message.speaker, message.priority, message.shareable, request_id, arrival),
        text=message.text,
        timeout_seconds=timeout_seconds,
        resumable=message.resumable,
        resume_token=message.resume_token,
    )


def streamed_request(
    message: speech.StreamConfiguration,
    manuscript: Manuscript,
    request_id: str,
    timeout_seconds: float | None,
    arrival: Stopwatch,
) -> SpeechRequest:
    """What the caller asks for whose text comes while it is spoken."""
    return replace(
        _spoken(message.speaker, message.priority, message.shareable, request_id, arrival),
        timeout_seconds=timeout_seconds,
        manuscript=manuscript,
    )


def _spoken(
    speaker: speech.Speaker, priority: token.Priority, shareable: bool, request_id: str, arrival: Stopwatch
) -> SpeechRequest:
    return SpeechRequest(
        request_id=request_id,
        text="",
        model=speaker.model,
        voice=speaker.voice,
        sampling=wire.sampling_value(speaker.sampling),
        seed=speaker.seed if speaker.HasField("seed") else None,
        priority=_priority(priority),
        shareable=shareable,
        arrival=arrival,
    )


def _priority(number: token.Priority) -> Priority:
    if number not in wire.PRIORITIES:
        raise InvalidRequest(f"priority must be one of {', '.join(token.Priority.keys())}, got {number}")
    return wire.PRIORITIES[number]


def patience_seconds(message: speech.StreamConfiguration) -> float | None:
    """How long text may wait for the end of its sentence, None for as long as it takes; raises InvalidRequest."""
    if message.max_buffer_delay_ms > MAX_PATIENCE_MS:
        raise InvalidRequest(f"max_buffer_delay_ms must be between 0 and {MAX_PATIENCE_MS}")
    return message.max_buffer_delay_ms / 1000 or None


def listen_request(
    message: speech.ListenRequest, request_id: str, timeout_seconds: float | None, key_name: str
) -> ListenRequest:
    """Which synthesis the caller wants to join, and where; raises InvalidRequest."""
    start = getattr(message, "from")
    if start not in speech.ListenFrom.values():
        raise InvalidRequest(f"from must be one of {', '.join(speech.ListenFrom.keys())}, got {start}")
    if message.first_sample and start != speech.LISTEN_FROM_SAMPLE:
        raise InvalidRequest("first_sample goes with LISTEN_FROM_SAMPLE only")
    return ListenRequest(
        request_id=request_id,
        synthesis_id=message.synthesis_id,
        first_sample=None if start == speech.LISTEN_FROM_LIVE else message.first_sample,
        timeout_seconds=timeout_seconds,
        key_name=key_name,
    )


Response = TypeVar("Response", speech.SynthesizeResponse, speech.StreamSynthesizeResponse, speech.ListenResponse)


def response(event: SpeechEvent, kind: type[Response], writer: Writer | None = None) -> Response:
    """An event as the caller of one of the streaming calls gets it; frames stay inside. `writer` is the text's."""
    match event:
        case Started():
            return kind(started=_started(event))
        case Chunk():
            return kind(chunk=_chunk(event, writer))
        case Finished():
            return kind(finished=_finished(event))


def _started(event: Started) -> speech.SpeechStarted:
    return speech.SpeechStarted(
        request_id=event.request_id,
        synthesis_id=event.synthesis_id,
        model=event.model,
        model_fingerprint=event.fingerprint,
        voice=event.voice,
        seed=event.seed,
        sample_rate_hz=event.sample_rate_hz,
        being_written=event.writer is not None,
    )


def _chunk(event: Chunk, writer: Writer | None) -> speech.SpeechChunk:
    since_seconds = math.inf if writer is None else writer.since_awaited_seconds
    return speech.SpeechChunk(
        segment=event.segment,
        first_sample=event.first_sample,
        pcm=event.pcm,
        resume_token=event.resume_token,
        since_text_awaited_seconds=since_seconds if since_seconds < math.inf else None,
    )


def _finished(event: Finished) -> speech.SpeechFinished:
    return speech.SpeechFinished(
        reason=wire.REASONS[event.reason],
        samples=event.samples,
        segments=event.segments,
        first_chunk_seconds=event.timings.first_chunk_seconds,
        total_seconds=event.timings.total_seconds,
        frames=event.frames,
    )


def voices(models: Iterable[Model]) -> speech.ListVoicesResponse:
    """Every voice with its model."""
    return speech.ListVoicesResponse(
        voices=[
            speech.ModelVoice(model=model.name, voice=token.Voice(**vars(voice)))
            for model in models
            for voice in model.voices
        ]
    )
