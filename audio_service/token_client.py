"""The token service below, as the audio service sees it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from audio_service.synthesis import CodecFacts, Frames
from swara import frames, tracing
from swara.channel import calling, connect
from swara.errors import Broken, InvalidRequest, Unavailable
from swara.tls import Certificate
from swara.v1 import codes_pb2, token_service_pb2, token_service_pb2_grpc

SERVICE = "token service"


class Generation:
    """One running generation: `started`, then `blocks`, then `finished`."""

    def __init__(self, events: AsyncIterator[token_service_pb2.GenerateResponse], codebook_size: int) -> None:
        self._events = events
        self._codebook_size = codebook_size
        self._total_frames = 0
        self.finished = token_service_pb2.GenerationFinished()

    async def started(self) -> token_service_pb2.GenerationStarted:
        """The first event."""
        event = await anext(self._events, None)
        if event is None or event.WhichOneof("event") != "started":
            raise Broken(f"the {SERVICE} did not begin with started")
        return event.started

    async def blocks(self) -> AsyncIterator[Frames]:
        """The frames, to their end."""
        async for event in self._events:
            kind = event.WhichOneof("event")
            if kind == "frames":
                yield self._frames(event.frames)
            elif kind == "finished":
                self.finished = event.finished
                return
        raise Unavailable(f"the {SERVICE} ended the stream before it was finished")

    def cut_short(self) -> None:
        """What would still come is not wanted: it has run away."""
        reason = token_service_pb2.FINISH_REASON_RUNAWAY
        self.finished = token_service_pb2.GenerationFinished(reason=reason, frames=self._total_frames)

    def _frames(self, message: codes_pb2.Frames) -> Frames:
        try:
            frames = frames_value(message, self._codebook_size)
        except InvalidRequest as error:
            raise Broken(f"the {SERVICE} sent what this codec cannot decode: {error.sentence}") from None
        self._total_frames = frames.first_frame + len(frames.codes)
        return frames


class TokenClient:
    """Calls one token service, whose model must fit the codec."""

    def __init__(self, address: str, facts: CodecFacts, inside: Certificate | None = None) -> None:
        self._address, self._facts = address, facts
        self._channel = connect(address, inside)
        self._stub = token_service_pb2_grpc.TokenServiceStub(self._channel)
        self._checked: set[str] = set()

    async def close(self) -> None:
        """Ends the connection."""
        await self._channel.close()

    @asynccontextmanager
    async def generate(self, request: token_service_pb2.GenerateRequest) -> AsyncIterator[Generation]:
        """A generation that is cancelled at the end of the block, if it has not ended."""
        if not self._checked:
            await self.model()
        call = self._stub.Generate(request, metadata=tracing.current().metadata)
        try:
            yield Generation(self._events(call), self._facts.codebook_size)
        finally:
            call.cancel()

    async def check(self, model_fingerprint: str) -> None:
        """Raises Broken if another model is served now, and it does not fit."""
        if model_fingerprint not in self._checked:
            await self.model()

    async def model(self) -> token_service_pb2.Model:
        """The served model; raises Broken if it does not fit the codec."""
        async with calling(SERVICE, self._address):
            model: token_service_pb2.Model = (await self._stub.GetModel(token_service_pb2.GetModelRequest())).model
        self._facts.check(model.name, model.codebook_size, model.sample_rate_hz, model.samples_per_frame)
        self._checked = {model.fingerprint}
        return model

    async def load(self) -> token_service_pb2.Load:
        """How busy it is."""
        async with calling(SERVICE, self._address):
            load: token_service_pb2.Load = (await self._stub.GetLoad(token_service_pb2.GetLoadRequest())).load
        return load

    async def _events(
        self, call: AsyncIterator[token_service_pb2.GenerateResponse]
    ) -> AsyncIterator[token_service_pb2.GenerateResponse]:
        async with calling(SERVICE, self._address):
            async for event in call:
                yield event


def frames_value(message: codes_pb2.Frames, codebook_size: int) -> Frames:
    """A Frames message as a value; raises InvalidRequest for half frames and codes outside the codebook."""
    return Frames(message.first_frame, frames.unpack(message.codes, codebook_size))
