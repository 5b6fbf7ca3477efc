"""TokenService over the demo model: what it refuses, and what its metrics say of how a stream went."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import grpc
import pytest
from prometheus_client import REGISTRY

from swara.channel import connect
from swara.frames import pack
from swara.server import RpcServer
from swara.v1 import codes_pb2
from swara.v1 import token_service_pb2 as pb
from swara.v1.token_service_pb2_grpc import TokenServiceStub, add_TokenServiceServicer_to_server
from tests.audio_service.codecs import random_codes
from tests.engines.requests import DEMO, PROFILE, planner, setup
from token_service.doors import SERVICE_NAME
from token_service.engines.base import Engine
from token_service.engines.registry import build_engine
from token_service.metrics import OUTCOMES
from token_service.model import fingerprint
from token_service.service import TokenService

Story = Callable[[TokenServiceStub, Engine], Awaitable[None]]


@asynccontextmanager
async def served() -> AsyncIterator[tuple[TokenServiceStub, Engine]]:
    """The service on a Unix socket, and its engine."""
    engine, server = build_engine(setup("native", device="cpu")), RpcServer()
    await engine.start()
    service = TokenService(PROFILE, fingerprint(DEMO), planner(), engine)
    add_TokenServiceServicer_to_server(service, server.grpc)
    with tempfile.TemporaryDirectory() as folder:
        address = f"unix:{folder}/token.sock"
        await server.start(address, [SERVICE_NAME])
        try:
            async with connect(address) as channel:
                yield TokenServiceStub(channel), engine
        finally:
            await server.stop(0)
            await engine.stop()


def told(story: Story) -> None:
    async def tell() -> None:
        async with served() as (stub, engine):
            await story(stub, engine)

    asyncio.run(tell())


def asked(frames: int = 4, resumed: int = 0, first_frame: int = 0, **fields: object) -> pb.GenerateRequest:
    """A request for so many frames, of which some exist already."""
    codes = pack(random_codes(resumed, PROFILE.codebook_size))
    return pb.GenerateRequest(
        request_id="r", text="नमस्ते", seed=1, limits=pb.FrameLimits(max_frames=frames, ignore_end=True),
        resume_frames=codes_pb2.Frames(first_frame=first_frame, codes=codes), **fields,
    )  # fmt: skip


async def events_of(stub: TokenServiceStub, request: pb.GenerateRequest) -> list[pb.GenerateResponse]:
    return [event async for event in stub.Generate(request)]


async def refusal(stub: TokenServiceStub, request: pb.GenerateRequest) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await events_of(stub, request)
    return caught.value


def counts() -> dict[str, float]:
    """Streams that have ended, by outcome."""
    family = next(family for family in REGISTRY.collect() if family.name == "swara_token_streams")
    return {sample.labels["outcome"]: sample.value for sample in family.samples if sample.name.endswith("_total")}


def observed(name: str) -> float:
    return REGISTRY.get_sample_value(f"swara_token_{name}_seconds_count") or 0.0


def test_each_stream_is_counted_under_one_of_the_outcomes_that_exist_from_the_start() -> None:
    async def story(stub: TokenServiceStub, engine: Engine) -> None:
        before = counts()
        await events_of(stub, asked())
        await refusal(stub, asked(voice="nobody"))
        await refusal(stub, asked(max_lead_seconds=-1))
        engine._limits = None  # what nobody has foreseen
        error = await refusal(stub, asked())
        assert error.code() is grpc.StatusCode.INTERNAL
        grown = {outcome: value - before[outcome] for outcome, value in counts().items() if value != before[outcome]}
        assert grown == {"max_frames": 1, "unknown_name": 1, "invalid": 1, "broken": 1}
        assert set(before) == {*OUTCOMES}

    told(story)


def test_who_hangs_up_is_counted_as_cancelled_and_who_has_heard_the_end_is_not() -> None:
    async def story(stub: TokenServiceStub, engine: Engine) -> None:
        before = counts()
        for _ in range(10):
            call = stub.Generate(asked(2, resumed=2))
            while not (await call.read()).HasField("finished"):
                pass
            call.cancel()
        call = stub.Generate(asked(250))
        await call.read()
        call.cancel()
        async with asyncio.timeout(60):
            while counts()["cancelled"] == before["cancelled"]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert counts()["cancelled"] - before["cancelled"] == 1
        assert counts()["max_frames"] - before["max_frames"] == 10

    told(story)


@pytest.mark.parametrize(("resumed", "spoke", "went_on"), [(4, 0, 0), (3, 1, 0), (2, 1, 1)])
def test_times_of_frames_are_those_of_frames_that_were_made(resumed: int, spoke: int, went_on: int) -> None:
    async def story(stub: TokenServiceStub, engine: Engine) -> None:
        before = [observed(name) for name in ("queue", "first_token", "first_frame", "frame")]
        events = await events_of(stub, asked(4, resumed))
        assert events[-1].finished.frames == 4
        after = [observed(name) for name in ("queue", "first_token", "first_frame", "frame")]
        assert [now - then for now, then in zip(after, before, strict=True)] == [1, spoke, spoke, went_on]

    told(story)


def test_resumed_frames_that_leave_the_beginning_out_are_refused() -> None:
    async def story(stub: TokenServiceStub, engine: Engine) -> None:
        error = await refusal(stub, asked(8, resumed=2, first_frame=3))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "begin with frame 0 of the segment, not 3" in (error.details() or "")

    told(story)
