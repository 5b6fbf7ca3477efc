"""The calling side of one audio service: orders and events to and from its gRPC messages."""

from collections.abc import AsyncGenerator

from grpc_health.v1 import health_pb2, health_pb2_grpc

from gateway.model import Model
from gateway.replicas.replica import ReplicaLoad
from gateway.speech.segment import SegmentChunk, SegmentEvent, SegmentFinished, SegmentOrder, SegmentStarted
from swara import tracing, wire
from swara.channel import calling, connect
from swara.errors import TimedOut, Unavailable
from swara.profile import Voice
from swara.tls import Certificate
from swara.v1 import audio_service_pb2 as audio
from swara.v1 import audio_service_pb2_grpc as audio_grpc
from swara.v1 import codes_pb2 as codes
from swara.v1 import token_service_pb2 as token

NAME = "audio service"
# A description is at hand or the service is in trouble; long enough for a busy machine, short enough to be an answer.
MODEL_TIMEOUT_SECONDS = 5.0
# A replica that takes longer to say how busy it is, is too busy.
LOAD_TIMEOUT_SECONDS = 1.0

CLASSES = {value: number for number, value in wire.CLASSES.items()}
PRIORITIES = {value: number for number, value in wire.PRIORITIES.items()}


class AudioClient:
    """An audio service at one address; a ReplicaSource for the pool."""

    def __init__(self, address: str, inside: Certificate | None = None) -> None:
        self._address = address
        self._channel = connect(address, inside)
        self._stub = audio_grpc.AudioServiceStub(self._channel)
        self._health = health_pb2_grpc.HealthStub(self._channel)

    @property
    def address(self) -> str:
        """Where it is."""
        return self._address

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

    async def load(self) -> ReplicaLoad | None:
        """How busy it is; None where it takes no new streams. Raises SwaraError where it does not answer."""
        async with calling(NAME, self._address):
            answer = await self._health.Check(health_pb2.HealthCheckRequest(), timeout=LOAD_TIMEOUT_SECONDS)
            if answer.status != health_pb2.HealthCheckResponse.SERVING:
                return None
            load = await self._stub.GetLoad(audio.AudioServiceGetLoadRequest(), timeout=LOAD_TIMEOUT_SECONDS)
        return _load(load)

    async def speak(self, order: SegmentOrder) -> AsyncGenerator[SegmentEvent, None]:
        """Speaks one segment; the call is cancelled as soon as the generator is closed."""
        context = tracing.current().metadata
        call = self._stub.Synthesize(_request(order), timeout=order.timeout_seconds, metadata=context)
        try:
            async with calling(NAME, self._address):
                async for message in call:
                    event = _event(message)
                    if isinstance(event, SegmentFinished):
                        # The end of the call is on its way: hanging up before it, we would be counted as gone.
                        await call.code()
                    yield event
        finally:
            call.cancel()


def _model(message: token.Model) -> Model:
    return Model(
        name=message.name,
        fingerprint=message.fingerprint,
        voices=tuple(_voice(voice, message) for voice in message.voices),
        languages=tuple(message.languages),
        sample_rate_hz=message.sample_rate_hz,
        max_text_characters=message.max_text_characters,
        emotion_tags=tuple(message.emotion_tags),
    )


def _voice(message: token.Voice, model: token.Model) -> Voice:
    """A voice, with the model's scripts where it has none of its own."""
    return Voice(message.name, message.language, message.description, tuple(message.scripts or model.scripts))


def _load(message: audio.AudioServiceGetLoadResponse) -> ReplicaLoad | None:
    """A stream needs a place at both services, so the tighter one counts."""
    own, token_load = message.audio, message.token
    if own.draining or token_load.draining:
        return None
    return ReplicaLoad(
        running_streams=max(own.running_streams, token_load.running_streams + token_load.queued_streams),
        capacity_streams=min(own.capacity_streams, token_load.capacity_streams),
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
        resume_frames=codes.Frames(codes=order.resume_codes) if order.resume_codes else None,
    )
    return audio.AudioServiceSynthesizeRequest(
        generate=generate, segment=order.segment, first_sample=order.first_sample
    )


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
        reason=wire.REASON_VALUES[generation.reason],
        samples=message.samples,
        frames=generation.frames,
        queue_seconds=generation.queue_seconds,
        prefill_seconds=generation.prefill_seconds,
        decode_seconds=generation.decode_seconds,
        codec_seconds=message.codec_seconds,
    )
