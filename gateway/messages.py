"""The public messages of speech_service.proto: requests to values, events and models to messages."""

from collections.abc import Iterable

from gateway.events import Chunk, Finished, SpeechEvent, Started
from gateway.models import Model
from gateway.request import SpeechRequest
from swara import wire
from swara.errors import InvalidRequest, NotBuilt
from swara.speech import Priority
from swara.stopwatch import Stopwatch
from swara.v1 import speech_service_pb2 as speech
from swara.v1 import token_service_pb2 as token


def speech_request(
    message: speech.SynthesizeRequest, request_id: str, timeout_seconds: float | None, arrival: Stopwatch
) -> SpeechRequest:
    """What the caller asks for; raises InvalidRequest, and NotBuilt for what the code has not yet."""
    if message.resume_token and (message.text or message.HasField("speaker")):
        raise InvalidRequest("a resume token says what is to be spoken and how: text and speaker must be empty with it")
    if message.shareable:
        raise NotBuilt("shareable syntheses are not built yet; send the text without shareable")
    speaker = message.speaker
    return SpeechRequest(
        request_id=request_id,
        text=message.text,
        model=speaker.model,
        voice=speaker.voice,
        sampling=wire.sampling_value(speaker.sampling),
        seed=speaker.seed if speaker.HasField("seed") else None,
        priority=wire.PRIORITIES.get(message.priority, Priority.INTERACTIVE),
        timeout_seconds=timeout_seconds,
        resumable=message.resumable,
        resume_token=message.resume_token,
        arrival=arrival,
    )


def response(event: SpeechEvent) -> speech.SynthesizeResponse:
    """An event as the caller gets it; frames stay inside."""
    match event:
        case Started():
            return speech.SynthesizeResponse(started=_started(event))
        case Chunk():
            return speech.SynthesizeResponse(chunk=_chunk(event))
        case Finished():
            return speech.SynthesizeResponse(finished=_finished(event))


def _started(event: Started) -> speech.SpeechStarted:
    return speech.SpeechStarted(
        request_id=event.request_id,
        synthesis_id=event.synthesis_id,
        model=event.model,
        model_fingerprint=event.fingerprint,
        voice=event.voice,
        seed=event.seed,
        sample_rate_hz=event.sample_rate_hz,
    )


def _chunk(event: Chunk) -> speech.SpeechChunk:
    return speech.SpeechChunk(
        segment=event.segment, first_sample=event.first_sample, pcm=event.pcm, resume_token=event.resume_token
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
