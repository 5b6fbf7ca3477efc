"""The calling side of the audio service: orders and events to and from its gRPC messages."""

from collections.abc import AsyncGenerator

from gateway.models import Model
from gateway.segment import SegmentChunk, SegmentEvent, SegmentFinished, SegmentOrder, SegmentStarted
from swara import wire
from swara.channel import calling, connect
from swara.errors import TimedOut, Unavailable
from swara.profile import Voice
from swara.v1 import audio_service_pb2 as audio
from swara.v1 import audio_service_pb2_grpc as audio_grpc
from swara.v1 import token_service_pb2 as token

NAME = "audio service"
# A description is at hand or the service is in trouble; long enough for a busy machine, short enough to be an answer.
MODEL_TIMEOUT_SECONDS = 5.0

CLASSES = {value: number for number, value in wire.CLASSES.items()}
PRIORITIES = {value: number for number, value in wire.PRIORITIES.items()}
REASONS = {number: value for value, number in wire.REASONS.items()}


class AudioClient:
    """An audio service at one address; an AudioSource for the pipeline."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._channel = connect(address)
        self._stub = audio_grpc.AudioServiceStub(self._channel)

    async def close(self) -> None:
        """Ends the connection and every call on it."""
        await self._channel.close()

    async def model(self) -> Model:
        """The model behind the service; raises Unavailable where it does not answer."""
        try:
            async with calling(NAME, self._address):
                answer = await self._stub.GetModel(audio.AudioServiceGetModelRequest(), timeout=MODEL_TIMEOUT_SECONDS)
        except TimedOut:
            raise Unavailable(f"the {NAME} at {self._address} does not answer") from None
        return _model(answer.model)

    async def speak(self, order: SegmentOrder) -> AsyncGenerator[SegmentEvent, None]:
        """Speaks one segment; the call is cancelled as soon as the generator is closed."""
        call = self._stub.Synthesize(_request(order), timeout=order.timeout_seconds)
        try:
            async with calling(NAME, self._address):
                async for message in call:
                    yield _event(message)
        finally:
            call.cancel()


def _model(message: token.Model) -> Model:
    return Model(
        name=message.name,
        fingerprint=message.fingerprint,
        voices=tuple(Voice(voice.name, voice.language, voice.description) for voice in message.voices),
        languages=tuple(message.languages),
        sample_rate_hz=message.sample_rate_hz,
        max_text_characters=message.max_text_characters,
    )


def _request(order: SegmentOrder) -> audio.AudioServiceSynthesizeRequest:
    generate = token.GenerateRequest(
        request_id=order.request_id,
        text=order.text,
        voice=order.voice,
        sampling=wire.sampling_message(order.sampling),
        seed=order.seed,
        admission_class=CLASSES[order.admission_class],
        priority=PRIORITIES[order.priority],
        max_lead_seconds=order.max_lead_seconds,
    )
    return audio.AudioServiceSynthesizeRequest(generate=generate, segment=order.segment)


def _event(message: audio.AudioServiceSynthesizeResponse) -> SegmentEvent:
    match message.WhichOneof("event"):
        case "started":
            generation = message.started.generation
            return SegmentStarted(generation.model_fingerprint, generation.voice, message.started.sample_rate_hz)
        case "chunk":
            chunk = message.chunk
            return SegmentChunk(chunk.first_sample, chunk.pcm, chunk.frames.first_frame, chunk.frames.codes)
        case _:
            return _finished(message.finished)


def _finished(message: audio.AudioFinished) -> SegmentFinished:
    generation = message.generation
    return SegmentFinished(
        reason=REASONS[generation.reason],
        samples=message.samples,
        frames=generation.frames,
        queue_seconds=generation.queue_seconds,
        prefill_seconds=generation.prefill_seconds,
        decode_seconds=generation.decode_seconds,
        codec_seconds=message.codec_seconds,
    )
