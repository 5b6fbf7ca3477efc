"""vLLM's gRPC protocol, `vllm.grpc.engine.VllmEngine`, in front of any of our engines.

Routers that speak it, as llm-d's and the Shepherd gateway do, can then balance over token services: token ids in, token
ids out, the load beside it. What has no meaning for speech is UNIMPLEMENTED or refused with a sentence.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager, suppress
from datetime import UTC, datetime

import grpc
from smg_grpc_proto.generated import vllm_engine_pb2 as pb
from smg_grpc_proto.generated import vllm_engine_pb2_grpc

from swara.frames import SLOTS, Codes
from swara.logs import request_log
from swara.profile import Profile
from swara.server import answering
from token_service import metrics
from token_service.coalesce import coalesced
from token_service.engines.base import Ended, Engine, GenerationRequest
from token_service.framer import frame_ids
from token_service.grammar import SlotGrammar
from token_service.vllm_order import SERVER_TYPE, generation

log = logging.getLogger(__name__)
# How a stream that ended with one of the protocol's reasons is counted.
OUTCOMES = {"stop": "end_of_speech", "length": "max_frames", "abort": "cancelled"}
SERVICE_NAME = pb.DESCRIPTOR.services_by_name["VllmEngine"].full_name


class VllmDoor(vllm_engine_pb2_grpc.VllmEngineServicer):
    """Serves one engine."""

    def __init__(self, profile: Profile, model: str, vocabulary: int, engine: Engine) -> None:
        self._profile = profile
        self._grammar = SlotGrammar(profile)
        self._model = model
        self._vocabulary = vocabulary
        self._engine = engine
        self._running: set[tuple[str, asyncio.Event]] = set()
        self._started_seconds = time.monotonic()

    async def Generate(
        self, request: pb.GenerateRequest, context: grpc.aio.ServicerContext
    ) -> AsyncGenerator[pb.GenerateResponse, None]:
        """Chunks of whole frames while streaming, then all ids once more, as the protocol has it."""
        async with answering(context, request.request_id):
            lines, outcome = request_log(log, request.request_id), metrics.Outcome()
            try:
                with outcome, self._abortable(request.request_id) as aborted:
                    order = generation(
                        request, context.invocation_metadata() or (), self._profile, self._engine.context_tokens
                    )
                    lines.info("stream opened by vLLM's protocol, at most %d frames", order.max_frames)
                    output_ids: list[int] = []
                    reason = "abort"
                    async with aclosing(self._events(order, aborted)) as events:
                        async for event in events:
                            if isinstance(event, Ended):
                                reason = "stop" if event.by_model else "length"
                                metrics.ended(event, len(output_ids) // SLOTS, ran_away=False)
                                break
                            new_ids = frame_ids(self._grammar, event)
                            output_ids += new_ids
                            if request.stream:
                                yield pb.GenerateResponse(chunk=_chunk(order, new_ids, len(output_ids)))
                    outcome.label = OUTCOMES[reason]
                    yield pb.GenerateResponse(complete=self._complete(order, output_ids, reason))
            finally:
                lines.info("stream closed, %s", outcome.label)

    async def Abort(self, request: pb.AbortRequest, context: grpc.aio.ServicerContext) -> pb.AbortResponse:
        """Ends running streams; ids that are not running have ended already."""
        for request_id, aborted in self._running:
            if request_id in request.request_ids:
                aborted.set()
        return pb.AbortResponse()

    async def HealthCheck(
        self, request: pb.HealthCheckRequest, context: grpc.aio.ServicerContext
    ) -> pb.HealthCheckResponse:
        """Healthy as long as this process answers: it ends itself when its engine has died."""
        return pb.HealthCheckResponse(healthy=True, message=f"engine {self._engine.name}")

    async def GetModelInfo(
        self, request: pb.GetModelInfoRequest, context: grpc.aio.ServicerContext
    ) -> pb.GetModelInfoResponse:
        """The served model."""
        return pb.GetModelInfoResponse(
            model_path=self._model,
            tokenizer_path=self._model,
            served_model_name=self._profile.name,
            is_generation=True,
            max_context_length=self._engine.context_tokens,
            vocab_size=self._vocabulary,
            model_type="llama",
            eos_token_ids=[self._profile.end_of_speech_id],
        )

    async def GetServerInfo(
        self, request: pb.GetServerInfoRequest, context: grpc.aio.ServicerContext
    ) -> pb.GetServerInfoResponse:
        """This process."""
        load = self._engine.load()
        return pb.GetServerInfoResponse(
            active_requests=load.running_streams + load.queued_streams,
            uptime_seconds=time.monotonic() - self._started_seconds,
            server_type=SERVER_TYPE,
            data_parallel_size=1,
            max_num_seqs=load.capacity_streams,
        )

    async def GetLoads(self, request: pb.GetLoadsRequest, context: grpc.aio.ServicerContext) -> pb.GetLoadsResponse:
        """The engine's load, for routers that poll it."""
        load = self._engine.load()
        total = load.running_streams + load.queued_streams
        now = pb.SchedulerLoad(
            num_running_reqs=load.running_streams,
            num_waiting_reqs=load.queued_streams,
            num_total_reqs=total,
            max_running_requests=load.capacity_streams,
            utilization=total / load.capacity_streams,
        )
        return pb.GetLoadsResponse(timestamp=datetime.now(UTC).isoformat(), dp_rank_count=1, loads=[now])

    @contextmanager
    def _abortable(self, request_id: str) -> Iterator[asyncio.Event]:
        """What Abort sets while the block runs; two streams may have the same id."""
        running = (request_id, asyncio.Event())
        self._running.add(running)
        try:
            yield running[1]
        finally:
            self._running.remove(running)

    async def _events(self, order: GenerationRequest, aborted: asyncio.Event) -> AsyncGenerator[Codes | Ended, None]:
        async with self._engine.open(order) as events:
            with metrics.holding(len(order.prompt_ids), len(order.resume)) as grow:
                async with aclosing(_until(aborted, coalesced(events))) as arriving:
                    async for event in arriving:
                        if not isinstance(event, Ended):
                            grow(len(event))
                        yield event

    def _complete(self, order: GenerationRequest, output_ids: list[int], reason: str) -> pb.GenerateComplete:
        matched = {"matched_token_id": self._profile.end_of_speech_id} if reason == "stop" else {}
        return pb.GenerateComplete(
            output_ids=output_ids,
            finish_reason=reason,
            prompt_tokens=_prompt_tokens(order),
            completion_tokens=len(output_ids),
            **matched,
        )


def _chunk(order: GenerationRequest, new_ids: list[int], completion_tokens: int) -> pb.GenerateStreamChunk:
    return pb.GenerateStreamChunk(
        token_ids=new_ids, prompt_tokens=_prompt_tokens(order), completion_tokens=completion_tokens
    )


def _prompt_tokens(order: GenerationRequest) -> int:
    return len(order.prompt_ids) + order.resume.size


async def _until(aborted: asyncio.Event, events: AsyncIterator[Codes | Ended]) -> AsyncGenerator[Codes | Ended, None]:
    """The same events, cut short when somebody aborts."""
    abort = asyncio.ensure_future(aborted.wait())
    try:
        while True:
            following = asyncio.ensure_future(anext(events))
            try:
                await asyncio.wait([following, abort], return_when=asyncio.FIRST_COMPLETED)
                if not following.done():
                    return
                yield await following
            except StopAsyncIteration:
                return
            finally:
                if not following.done():
                    following.cancel()
                    with suppress(asyncio.CancelledError):
                        await following
    finally:
        abort.cancel()
