"""The gRPC door: SpeechService. It only translates: message to request, event to message, error to status."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import grpc

from gateway import request_id
from gateway.access import credential
from gateway.doors.grpc import dictation, messages
from gateway.doors.hangup import alongside
from gateway.events import SpeechEvent, Started, Writer
from gateway.metrics import Door
from gateway.models import Models
from gateway.sessions import Sessions
from gateway.sharing.relay import RELAYED_HEADER
from swara import tracing
from swara.server import answering
from swara.v1 import speech_service_pb2 as speech
from swara.v1 import speech_service_pb2_grpc as speech_grpc

SERVICE_NAME = speech.DESCRIPTOR.services_by_name["SpeechService"].full_name


class SpeechServicer(speech_grpc.SpeechServiceServicer):
    """Answers SpeechService.

    The handlers write to the context instead of yielding: a cancelled call then cancels the one task that holds the
    generators, which closes them at once wherever they are.
    """

    def __init__(self, sessions: Sessions, models: Models) -> None:
        self._sessions = sessions
        self._models = models

    async def Synthesize(
        self,
        request: speech.SynthesizeRequest,
        context: grpc.aio.ServicerContext[speech.SynthesizeRequest, speech.SynthesizeResponse],
    ) -> None:
        """Speaks one text."""
        name = await _introduce(context)
        async with answering(context, name), self._sessions.open(Door.GRPC, name, _key(context)) as session:
            wanted = messages.speech_request(request, name, context.time_remaining(), session.arrival)
            await _answer(context, session.speak(wanted), speech.SynthesizeResponse)

    async def ListVoices(
        self,
        request: speech.ListVoicesRequest,
        context: grpc.aio.ServicerContext[speech.ListVoicesRequest, speech.ListVoicesResponse],
    ) -> speech.ListVoicesResponse:
        """Lists the voices of one model or of all."""
        name = await _introduce(context)
        async with answering(context, name):
            self._sessions.identify(Door.GRPC, name, _key(context))
            models = [await self._models.find(request.model)] if request.model else await self._models.all()
            return messages.voices(models)

    async def StreamSynthesize(
        self,
        request_iterator: AsyncIterator[speech.StreamSynthesizeRequest],
        context: grpc.aio.ServicerContext[speech.StreamSynthesizeRequest, speech.StreamSynthesizeResponse],
    ) -> None:
        """Speaks a text while it is being written."""
        name = await _introduce(context)
        async with answering(context, name), self._sessions.open(Door.GRPC, name, _key(context)) as session:
            configuration = await dictation.configuration(request_iterator)
            manuscript = self._sessions.manuscript(messages.patience_seconds(configuration))
            wanted = messages.streamed_request(
                configuration, manuscript, name, context.time_remaining(), session.arrival
            )
            await alongside(
                _answer(context, session.speak(wanted), speech.StreamSynthesizeResponse),
                dictation.read(request_iterator, manuscript, session.stop),
            )

    async def Listen(
        self,
        request: speech.ListenRequest,
        context: grpc.aio.ServicerContext[speech.ListenRequest, speech.ListenResponse],
    ) -> None:
        """Joins a synthesis that is already running."""
        name = await _introduce(context)
        async with answering(context, name), self._sessions.open(Door.GRPC, name, _key(context)) as session:
            wanted = messages.listen_request(request, name, context.time_remaining(), session.account.name)
            wanted = replace(wanted, credential=_key(context), voucher=_metadata(context).get(RELAYED_HEADER, ""))
            await _answer(context, session.listen(wanted), speech.ListenResponse)


async def _answer(
    context: grpc.aio.ServicerContext, events: AsyncGenerator[SpeechEvent, None], kind: type[messages.Response]
) -> None:
    writer: Writer | None = None
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Started):
                writer = event.writer
            await context.write(messages.response(event, kind, writer))


def _key(context: grpc.aio.ServicerContext) -> str:
    return credential.of_header(_metadata(context).get(credential.HEADER))


def _metadata(context: grpc.aio.ServicerContext) -> dict[str, Any]:
    return dict(context.invocation_metadata() or ())


async def _introduce(context: grpc.aio.ServicerContext) -> str:
    """The request id, told to the caller in the headers before anything else."""
    metadata = _metadata(context)
    tracing.called_with(metadata)
    name = request_id.resolve(metadata.get(request_id.HEADER))
    await context.send_initial_metadata(((request_id.HEADER, name),))
    return name
