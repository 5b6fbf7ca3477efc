"""The engine that another server is: it must prove the slot mask, serve the same model, and be there."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from swara.errors import SetupError, Unavailable
from swara.process import free_port
from tests.engines.reference import PlainSource
from tests.engines.requests import codes_of, request, setup, spoken
from tests.engines.vllm_server import PlainServer, serving
from token_service.engines import remote_engine
from token_service.engines.base import Engine
from token_service.engines.registry import build_engine
from token_service.engines.trial import Trial

VOCABULARY = 7424


@pytest.fixture(autouse=True)
def _quick_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two streams, without asking how fast plain transformers are."""

    async def carried(trial: Trial, ceiling_streams: int) -> int:
        return 2

    monkeypatch.setattr(Trial, "carried_streams", carried)


def engine_at(address: str) -> Engine:
    """The engine of the demo model whose server is there."""
    remote = setup("remote", precision="auto", remote_address=address)
    return build_engine(remote)


def beside(source: PlainSource, story: Callable[[Engine], Awaitable[None]], vocabulary: int = VOCABULARY) -> None:
    """Tells a story about the engine that this source is behind a real gRPC server."""

    async def tell() -> None:
        async with serving(PlainServer(source, vocabulary)) as address:
            engine = engine_at(address)
            try:
                await engine.start()
                await story(engine)
            finally:
                await engine.stop()

    asyncio.run(tell())


async def never(engine: Engine) -> None:
    raise AssertionError("it must not start")


def test_a_remote_server_that_keeps_the_grammar_speaks_through_our_engine() -> None:
    source = PlainSource(masked=True)

    async def story(engine: Engine) -> None:
        codes, end = await spoken(engine, request(frames=3))
        assert (codes.shape, end.by_model) == ((3, 7), False)
        assert (codes == await codes_of(engine, request(frames=3))).all()
        async with engine.open(request(frames=100)) as events:
            await anext(events)
        for _ in range(100):
            if not source.open_orders:
                break
            await asyncio.sleep(0.05)
        assert not source.open_orders, "hanging up must end the call there"

    beside(source, story)


def test_a_remote_server_without_the_slot_mask_is_refused() -> None:
    with pytest.raises(SetupError, match="slot grammar"):
        beside(PlainSource(masked=False), never)


def test_a_remote_server_of_another_model_is_refused() -> None:
    with pytest.raises(SetupError, match="another model"):
        beside(PlainSource(masked=True), never, vocabulary=156_940)


def test_a_remote_server_that_is_not_there_is_named() -> None:
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(SetupError, match=address):
        asyncio.run(engine_at(address).start())


def test_settings_that_are_the_remote_servers_own_are_refused() -> None:
    with pytest.raises(SetupError, match="precision belongs to the remote server"):
        build_engine(setup("remote", remote_address="127.0.0.1:1"))
    with pytest.raises(SetupError, match="needs remote_address"):
        build_engine(setup("remote", precision="auto"))


def test_a_remote_server_that_goes_away_ends_its_streams_and_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_engine, "PROBE_SECONDS", 0.1)

    async def story() -> None:
        async with serving(PlainServer(PlainSource(masked=True), VOCABULARY)) as address:
            engine = engine_at(address)
            await engine.start()
            speaking = asyncio.create_task(codes_of(engine, request(frames=100)))
            await asyncio.sleep(1.0)
        with pytest.raises(Unavailable):
            await speaking
        await asyncio.wait_for(engine.failed(), 20.0)
        await engine.stop()

    asyncio.run(story())
