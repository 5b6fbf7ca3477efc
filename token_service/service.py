"""TokenService over gRPC: wire to domain to wire, and nothing else."""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

import grpc

from swara import frames, tracing, wire
from swara.errors import InvalidRequest
from swara.logs import request_log
from swara.profile import Profile
from swara.server import answering
from swara.speech import AdmissionClass, FinishReason, Priority
from swara.stopwatch import Stopwatch
from swara.tracing import Trace
from swara.v1 import codes_pb2, token_service_pb2_grpc
from swara.v1 import token_service_pb2 as pb
from token_service import metrics
from token_service.coalesce import coalesced
from token_service.engines.base import Ended, Engine
from token_service.guard import until_loop
from token_service.plan import Plan, Planner, SegmentRequest

log = logging.getLogger(__name__)


class TokenService(token_service_pb2_grpc.TokenServiceServicer):
    """Serves one engine."""

    def __init__(self, profile: Profile, fingerprint: str, planner: Planner, engine: Engine) -> None:
        self._profile = profile
        self._fingerprint = fingerprint
        self._planner = planner
        self._engine = engine
        self.draining = False

    async def Generate(
        self, request: pb.GenerateRequest, context: grpc.aio.ServicerContext
    ) -> AsyncGenerator[pb.GenerateResponse, None]:
        """Started, frames, finished."""
        async with answering(context, request.request_id):
            lines = request_log(log, request.request_id)
            tracing.called_with(dict(context.invocation_metadata() or ()))
            trace, asked = tracing.begin("generate", {"request_id": request.request_id}), Stopwatch()
            outcome = metrics.Outcome()
            try:
                with outcome:
                    plan = self._planner.plan(self._segment(request))
                    lines.info("stream opened, %s, at most %d frames", plan.voice, plan.generation.max_frames)
                    async with aclosing(self._events(plan)) as events:
                        async for event in events:
                            if event.HasField("finished"):
                                _record_stages(trace, asked.started_seconds, event.finished)
                                outcome.label = _label(event.finished.reason)
                            yield event
            finally:
                trace.end({"outcome": outcome.label})
                lines.info("stream closed, %s", outcome.label)

    async def GetModel(self, request: pb.GetModelRequest, context: grpc.aio.ServicerContext) -> pb.GetModelResponse:
        """The served model."""
        engine = self._engine
        model = wire.model_message(
            self._profile, self._fingerprint, engine.name, engine.deterministic, engine.can_pause
        )
        return pb.GetModelResponse(model=model)

    async def GetLoad(self, request: pb.GetLoadRequest, context: grpc.aio.ServicerContext) -> pb.GetLoadResponse:
        """The engine's load."""
        return pb.GetLoadResponse(load=pb.Load(**vars(self._engine.load()), draining=self.draining))

    async def _events(self, plan: Plan) -> AsyncGenerator[pb.GenerateResponse, None]:
        order, total = plan.generation, len(plan.generation.resume)
        async with self._engine.open(order) as events:
            with metrics.holding(len(order.prompt_ids), total) as grow:
                yield pb.GenerateResponse(started=self._started(plan))
                async for event in coalesced(until_loop(events, order.resume)):
                    if isinstance(event, Ended):
                        yield pb.GenerateResponse(finished=_finished(plan, event, total))
                    else:
                        yield pb.GenerateResponse(frames=wire.frames_message(total, event))
                        total += len(event)
                        grow(len(event))

    def _started(self, plan: Plan) -> pb.GenerationStarted:
        return pb.GenerationStarted(
            model_fingerprint=self._fingerprint,
            prompt_tokens=len(plan.generation.prompt_ids),
            sampling=wire.sampling_message(plan.generation.sampling),
            max_frames=plan.generation.max_frames,
            voice=plan.voice,
        )

    def _segment(self, request: pb.GenerateRequest) -> SegmentRequest:
        return SegmentRequest(
            request_id=request.request_id,
            text=request.text,
            voice=request.voice,
            sampling=wire.sampling_value(request.sampling),
            seed=request.seed,
            min_frames=request.limits.min_frames,
            max_frames=request.limits.max_frames,
            ignore_end=request.limits.ignore_end,
            resume=self._resumed(request.resume_frames),
            admission_class=wire.CLASSES.get(request.admission_class, AdmissionClass.NEW),
            priority=wire.PRIORITIES.get(request.priority, Priority.INTERACTIVE),
            max_lead_seconds=request.max_lead_seconds,
        )

    def _resumed(self, message: codes_pb2.Frames) -> frames.Codes:
        if message.first_frame:
            raise InvalidRequest(f"resume_frames must begin with frame 0 of the segment, not {message.first_frame}")
        return frames.unpack(message.codes, self._profile.codebook_size)


def _finished(plan: Plan, event: Ended, total: int) -> pb.GenerationFinished:
    limit = FinishReason.RUNAWAY if plan.guarded or event.looped else FinishReason.MAX_FRAMES
    reason = FinishReason.END_OF_SPEECH if event.by_model else limit
    metrics.ended(event, total - len(plan.generation.resume), reason is FinishReason.RUNAWAY)
    return pb.GenerationFinished(
        reason=wire.REASONS[reason],
        frames=total,
        queue_seconds=event.queue_seconds,
        prefill_seconds=event.prefill_seconds,
        decode_seconds=event.decode_seconds,
    )


def _label(reason: pb.FinishReason) -> str:
    return pb.FinishReason.Name(reason).removeprefix("FINISH_REASON_").lower()


def _record_stages(trace: Trace, asked_seconds: float, finished: pb.GenerationFinished) -> None:
    """The stages follow one another without a gap, so their lengths tell when each began."""
    stages = (
        ("queue", finished.queue_seconds),
        ("prefill", finished.prefill_seconds),
        ("decode", finished.decode_seconds),
    )
    for name, seconds in stages:
        trace.stage(name, asked_seconds, seconds)
        asked_seconds += seconds
