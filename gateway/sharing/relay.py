"""Listens at another gateway: its Listen stream, as events."""

import math
import time
from collections.abc import AsyncGenerator

import grpc

from gateway.access import credential
from gateway.events import Chunk, Finished, SpeechEvent, Started, Timings
from gateway.request import ListenRequest
from gateway.request_id import HEADER
from swara import wire
from swara.channel import calling, connect
from swara.tls import Certificate
from swara.v1 import speech_service_pb2 as speech
from swara.v1 import speech_service_pb2_grpc as speech_grpc

NAME = "gateway"
# Carries the voucher of a gateway that asks for its listener: the call is answered or refused, never passed on again.
RELAYED_HEADER = "swara-relayed"


class GatewayRelay:
    """A Relay over gRPC. There are as many connections as gateways: an address is believed only when it is signed."""

    def __init__(self, inside: Certificate | None = None) -> None:
        self._inside = inside
        self._channels: dict[str, grpc.aio.Channel] = {}

    async def close(self) -> None:
        """Ends every connection and every call on it."""
        for channel in self._channels.values():
            await channel.close()

    async def listen(self, owner: str, wanted: ListenRequest) -> AsyncGenerator[SpeechEvent, None]:
        """The events of a synthesis that the gateway at `owner` speaks; the call ends when the generator is closed."""
        if owner not in self._channels:
            self._channels[owner] = connect(owner, self._inside)
        call = speech_grpc.SpeechServiceStub(self._channels[owner]).Listen(
            _message(wanted), timeout=wanted.timeout_seconds, metadata=_metadata(wanted)
        )
        writer = DistantWriter()
        try:
            async with calling(NAME, owner):
                async for response in call:
                    yield _event(response, writer)
        finally:
            call.cancel()


class DistantWriter:
    """Who writes what another gateway speaks: known as of the last chunk."""

    def __init__(self) -> None:
        self._awaited_until_seconds = -math.inf

    @property
    def since_awaited_seconds(self) -> float:
        """How long ago text was last waited for; what a chunk took to come here is not in it."""
        return time.perf_counter() - self._awaited_until_seconds

    @property
    def may_be_awaited(self) -> bool:
        """Always: only the next chunk tells. Whoever is stalled here is stalled at the owner too, which knows."""
        return True

    def told(self, chunk: speech.SpeechChunk) -> None:
        """A chunk says how it is there."""
        if chunk.HasField("since_text_awaited_seconds"):
            self._awaited_until_seconds = time.perf_counter() - chunk.since_text_awaited_seconds


def _message(wanted: ListenRequest) -> speech.ListenRequest:
    message = speech.ListenRequest(synthesis_id=wanted.synthesis_id, first_sample=wanted.first_sample or 0)
    # `from` is a word of Python's own.
    setattr(message, "from", speech.LISTEN_FROM_LIVE if wanted.first_sample is None else speech.LISTEN_FROM_SAMPLE)
    return message


def _metadata(wanted: ListenRequest) -> tuple[tuple[str, str], ...]:
    metadata = ((HEADER, wanted.request_id), (RELAYED_HEADER, wanted.voucher))
    return (*metadata, credential.header(wanted.credential)) if wanted.credential else metadata


def _event(response: speech.ListenResponse, writer: DistantWriter) -> SpeechEvent:
    match response.WhichOneof("event"):
        case "started":
            return _started(response.started, writer)
        case "chunk":
            chunk = response.chunk
            writer.told(chunk)
            return Chunk(chunk.segment, chunk.first_sample, chunk.pcm, first_frame=0, codes=b"")
        case _:
            return _finished(response.finished)


def _started(message: speech.SpeechStarted, writer: DistantWriter) -> Started:
    return Started(
        request_id=message.request_id,
        synthesis_id=message.synthesis_id,
        model=message.model,
        fingerprint=message.model_fingerprint,
        voice=message.voice,
        seed=message.seed,
        sample_rate_hz=message.sample_rate_hz,
        writer=writer if message.being_written else None,
    )


def _finished(message: speech.SpeechFinished) -> Finished:
    return Finished(
        reason=wire.REASON_VALUES[message.reason],
        samples=message.samples,
        segments=message.segments,
        frames=message.frames,
        timings=Timings(message.first_chunk_seconds, message.total_seconds),
    )
