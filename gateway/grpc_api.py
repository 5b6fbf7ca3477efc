"""The gRPC door: SpeechService. It only translates: message to request, event to message, error to status."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import grpc

from gateway import messages, request_id
from gateway.metrics import Door
from gateway.models import Models
from gateway.sessions import Sessions
from swara.errors import NotBuilt
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
        async with answering(context, name), self._sessions.open(Door.GRPC, name) as session:
            wanted = messages.speech_request(request, name, context.time_remaining(), session.arrival)
            async with aclosing(session.speak(wanted)) as events:
                async for event in events:
                    await context.write(messages.response(event))

    async def ListVoices(
        self,
        request: speech.ListVoicesRequest,
        context: grpc.aio.ServicerContext[speech.ListVoicesRequest, speech.ListVoicesResponse],
    ) -> speech.ListVoicesResponse:
        """Lists the voices of one model or of all."""
        async with answering(context, await _introduce(context)):
            models = [await self._models.find(request.model)] if request.model else await self._models.all()
            return messages.voices(models)

    async def StreamSynthesize(
        self,
        request_iterator: AsyncIterator[speech.StreamSynthesizeRequest],
        context: grpc.aio.ServicerContext[speech.StreamSynthesizeRequest, speech.StreamSynthesizeResponse],
    ) -> None:
        """Comes later."""
        async with answering(context, await _introduce(context)):
            raise NotBuilt("StreamSynthesize is not built yet; Synthesize speaks a whole text")

    async def Listen(
        self,
        request: speech.ListenRequest,
        context: grpc.aio.ServicerContext[speech.ListenRequest, speech.ListenResponse],
    ) -> None:
        """Comes later."""
        async with answering(context, await _introduce(context)):
            raise NotBuilt("Listen is not built yet; every synthesis has one listener")


async def _introduce(context: grpc.aio.ServicerContext) -> str:
    """The request id, told to the caller in the headers before anything else."""
    given = dict(context.invocation_metadata() or ()).get(request_id.HEADER)
    name = request_id.resolve(given)
    await context.send_initial_metadata(((request_id.HEADER, name),))
    return name
