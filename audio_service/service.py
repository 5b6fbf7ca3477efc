"""The AudioService on the wire: messages to values, values to messages."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import grpc

from audio_service.batcher import Batcher
from audio_service.journal import journal
from audio_service.silence import SilenceGuard, until_silence
from audio_service.stream import Delays, Mode, Noise, Piece, Voicing
from audio_service.synthesis import CodecFacts, Frames, Received, feed, remembered
from audio_service.token_client import TokenClient, frames_value
from swara import pcm, tracing
from swara.errors import InvalidRequest
from swara.server import answering
from swara.speech import AdmissionClass
from swara.tasks import together
from swara.v1 import audio_service_pb2, audio_service_pb2_grpc, token_service_pb2
from swara.wire import CLASSES, frames_message

log = logging.getLogger(__name__)

NOISES = {
    audio_service_pb2.NOISE_MODE_UNSPECIFIED: Noise.SEEDED,
    audio_service_pb2.NOISE_MODE_SEEDED: Noise.SEEDED,
    audio_service_pb2.NOISE_MODE_OFF: Noise.OFF,
}
MODES = {
    audio_service_pb2.DECODE_MODE_UNSPECIFIED: Mode.EXACT,
    audio_service_pb2.DECODE_MODE_EXACT: Mode.EXACT,
    audio_service_pb2.DECODE_MODE_EARLY: Mode.EARLY,
    audio_service_pb2.DECODE_MODE_REPORT: Mode.REPORT,
}


class AudioServicer(audio_service_pb2_grpc.AudioServiceServicer):
    """Translates; the batcher decodes and the token client generates."""

    def __init__(self, batcher: Batcher, delays: Delays, facts: CodecFacts, tokens: TokenClient) -> None:
        self._batcher, self._delays, self._facts, self._tokens = batcher, delays, facts, tokens
        self._draining = False

    def drain(self) -> None:
        """From now on GetLoad says that this service is shutting down."""
        self._draining = True

    async def Synthesize(
        self, request: audio_service_pb2.AudioServiceSynthesizeRequest, context: grpc.aio.ServicerContext
    ) -> None:
        """Speaks one segment."""
        generate = request.generate
        async with answering(context, generate.request_id), AsyncExitStack() as stack:
            tracing.called_with(dict(context.invocation_metadata() or ()))
            note = stack.enter_context(journal(log, "synthesis", generate.request_id))
            voicing = _voicing(generate.seed, request.decoding, request.first_sample)
            admission = CLASSES.get(generate.admission_class, AdmissionClass.NEW)
            resumed = self._resumed(generate)
            seat = await stack.enter_async_context(self._batcher.open(voicing, admission))
            generation = await stack.enter_async_context(self._tokens.generate(generate))
            started = await generation.started()
            await self._tokens.check(started.model_fingerprint)
            await context.write(self._started(started))
            if resumed is not None:
                await seat.feed(resumed.first_frame, resumed.codes)
            received, guard = Received(), SilenceGuard()
            async with together() as group:
                blocks = until_silence(generation, guard, self._batcher.fell_silent)
                group.create_task(feed(seat, remembered(blocks, received)))
                async for piece in seat.pieces():
                    note.spoke(piece)
                    guard.hear(piece.samples)
                    await context.write(_chunk(request.segment, piece, received.take()))
            if (rest := received.take()) is not None:
                end = Piece(seat.stream.samples, pcm.from_bytes(b""))
                await context.write(_chunk(request.segment, end, rest))
            await context.write(_finished(generation.finished, seat.stream.samples, seat.codec_seconds))

    async def Decode(
        self, requests: AsyncIterator[audio_service_pb2.DecodeRequest], context: grpc.aio.ServicerContext
    ) -> None:
        """Decodes the caller's frames."""
        first = await anext(aiter(requests), audio_service_pb2.DecodeRequest())
        configuration = first.configuration
        async with answering(context, configuration.request_id), AsyncExitStack() as stack:
            if not first.HasField("configuration"):
                raise InvalidRequest("the first message of a decode must be its configuration")
            note = stack.enter_context(journal(log, "decode", configuration.request_id))
            voicing = _voicing(configuration.seed, configuration.decoding, configuration.first_sample)
            seat = await stack.enter_async_context(self._batcher.open(voicing, AdmissionClass.NEW))
            group = await stack.enter_async_context(together())
            group.create_task(feed(seat, self._brought(requests)))
            async for piece in seat.pieces():
                note.spoke(piece)
                data = pcm.to_bytes(piece.samples)
                await context.write(audio_service_pb2.DecodeResponse(first_sample=piece.first_sample, pcm=data))

    async def GetModel(
        self, request: audio_service_pb2.AudioServiceGetModelRequest, context: grpc.aio.ServicerContext
    ) -> audio_service_pb2.AudioServiceGetModelResponse:
        """The model of the token service, and this codec."""
        async with answering(context, ""):
            model = await self._tokens.model()
        return audio_service_pb2.AudioServiceGetModelResponse(model=model, codec_fingerprint=self._facts.fingerprint)

    async def GetLoad(
        self, request: audio_service_pb2.AudioServiceGetLoadRequest, context: grpc.aio.ServicerContext
    ) -> audio_service_pb2.AudioServiceGetLoadResponse:
        """The load of both services."""
        async with answering(context, ""):
            token = await self._tokens.load()
        audio = token_service_pb2.Load(
            running_streams=self._batcher.running_streams,
            capacity_streams=self._batcher.capacity_streams,
            slack_seconds=self._batcher.slack_seconds(),
            draining=self._draining,
        )
        return audio_service_pb2.AudioServiceGetLoadResponse(audio=audio, token=token)

    async def _brought(self, requests: AsyncIterator[audio_service_pb2.DecodeRequest]) -> AsyncIterator[Frames]:
        async for request in requests:
            if not request.HasField("frames"):
                raise InvalidRequest("after the configuration a decode takes frames only")
            yield frames_value(request.frames, self._facts.codebook_size)

    def _resumed(self, generate: token_service_pb2.GenerateRequest) -> Frames | None:
        """The frames that exist already, which the decoder needs for its past."""
        if not generate.HasField("resume_frames"):
            return None
        return frames_value(generate.resume_frames, self._facts.codebook_size)

    def _started(
        self, generation: token_service_pb2.GenerationStarted
    ) -> audio_service_pb2.AudioServiceSynthesizeResponse:
        started = audio_service_pb2.AudioStarted(
            generation=generation,
            sample_rate_hz=self._facts.sample_rate_hz,
            lookahead_samples=self._delays.reach_samples,
        )
        return audio_service_pb2.AudioServiceSynthesizeResponse(started=started)


def _voicing(seed: int, decoding: audio_service_pb2.Decoding, first_sample: int) -> Voicing:
    if decoding.mode not in MODES:
        raise InvalidRequest(f"there is no decode mode {decoding.mode}")
    if decoding.noise not in NOISES:
        raise InvalidRequest(f"there is no noise mode {decoding.noise}")
    return Voicing(seed, NOISES[decoding.noise], first_sample, MODES[decoding.mode])


def _chunk(segment: int, piece: Piece, frames: Frames | None) -> audio_service_pb2.AudioServiceSynthesizeResponse:
    chunk = audio_service_pb2.AudioChunk(
        segment=segment,
        first_sample=piece.first_sample,
        pcm=pcm.to_bytes(piece.samples),
        frames=None if frames is None else frames_message(frames.first_frame, frames.codes),
    )
    return audio_service_pb2.AudioServiceSynthesizeResponse(chunk=chunk)


def _finished(
    generation: token_service_pb2.GenerationFinished, samples: int, codec_seconds: float
) -> audio_service_pb2.AudioServiceSynthesizeResponse:
    finished = audio_service_pb2.AudioFinished(generation=generation, samples=samples, codec_seconds=codec_seconds)
    return audio_service_pb2.AudioServiceSynthesizeResponse(finished=finished)
