"""A token service as the remote engine of another, with real processes: whole frames cross vLLM's protocol."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from swara.errors import Full
from swara.process import ServiceProcess, free_port, grpc_ready, to_stderr
from swara.speech import AdmissionClass
from tests.engines.requests import DEMO, PROFILE, codes_of, request, setup, spoken
from token_service.engines.base import Engine
from token_service.engines.registry import build_engine
from token_service.framer import frame_ids
from token_service.grammar import SlotGrammar

GRAMMAR = SlotGrammar(PROFILE)
PLACES_BEHIND = 2


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where a token service of two places serves."""
    address = f"127.0.0.1:{free_port()}"
    flags = [f"--model={DEMO}", f"--address={address}", f"--max-streams={PLACES_BEHIND}", "--context-tokens=2048"]
    service = ServiceProcess("token_service", [*flags, "--metrics-port=0", "--metrics-host=127.0.0.1"], to_stderr)
    try:
        while not grpc_ready(address):
            assert service.exit_code is None, service.last_sentence()
            time.sleep(0.2)
        yield address
    finally:
        service.end(15.0)


def before(address: str, story: Callable[[Engine], Awaitable[None]]) -> None:
    """Tells a story about the engine that is the token service there, its start and its trial included."""

    async def tell() -> None:
        engine = build_engine(setup("remote", precision="auto", remote_address=address))
        await engine.start()
        try:
            await story(engine)
        finally:
            await engine.stop()

    asyncio.run(tell())


def test_it_speaks_whole_frames_that_are_legal_and_the_same_for_a_seed(address: str) -> None:
    async def story(engine: Engine) -> None:
        codes, end = await spoken(engine, request(frames=4))
        assert (codes.shape, end.by_model) == ((4, 7), False)
        assert all(token_id in GRAMMAR.legal_ids(place % 7) for place, token_id in enumerate(frame_ids(GRAMMAR, codes)))
        assert (codes == await codes_of(engine, request(frames=4))).all()

    before(address, story)


def test_a_resumed_stream_goes_on_with_the_same_codes(address: str) -> None:
    async def story(engine: Engine) -> None:
        whole = await codes_of(engine, request(frames=6))
        rest = await codes_of(engine, request(frames=6, resume=whole[:2]))
        assert (rest == whole[2:]).all()

    before(address, story)


def test_the_next_segment_of_a_running_text_finds_a_place_behind_where_a_new_stream_is_refused(address: str) -> None:
    async def story(engine: Engine) -> None:
        async with AsyncExitStack() as running:
            for index in range(PLACES_BEHIND):
                events = await running.enter_async_context(engine.open(request(index, frames=100)))
                await anext(events)
            assert (await codes_of(engine, request(3, frames=2, admission_class=AdmissionClass.RESUMED))).shape == (
                2,
                7,
            )
            assert (await codes_of(engine, request(4, frames=2))).shape == (2, 7)
            with pytest.raises(Full):
                await codes_of(engine, request(5, frames=2, admission_class=AdmissionClass.NEW))

    before(address, story)


def test_it_carries_no_more_streams_than_find_room_behind(address: str) -> None:
    async def story(engine: Engine) -> None:
        assert 1 <= engine.load().capacity_streams <= PLACES_BEHIND

    before(address, story)
