"""The CUDA path's host side, run on the CPU with its plain kernels: the codes are those of the CPU's own model."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from swara.errors import Broken, SetupError
from swara.frames import SLOTS, Codes, no_codes
from swara.profile import load_profile
from swara.speech import AdmissionClass, Sampling
from token_service.engines.base import Ended, GenerationRequest
from token_service.engines.limits import Limits
from token_service.engines.native.cuda.graph_model import GraphModel
from token_service.engines.native.cuda.layout import PAGE_TOKENS
from token_service.engines.native.cuda.open import Options, open_graph_model, pages_that_fit, weight_bytes
from token_service.engines.native.cuda.pages import Pages
from token_service.engines.native.engine import NativeEngine
from token_service.engines.native.frame_loop import FrameLoop
from token_service.engines.native.stream import Stream
from token_service.engines.native.tile_model import TileModel
from token_service.engines.native.weights import LlamaShape
from token_service.grammar import SlotGrammar

DEMO = Path("demo_model/weights/language_model")
PROFILE = load_profile(DEMO)
SHAPE = LlamaShape.of(json.loads((DEMO / "config.json").read_text()))
ORPHEUS = LlamaShape(28, 3072, 24, 8, 128, 8192, 156_940, 1e-5, 500_000.0, None, True)
CPU = torch.device("cpu")
PLACES, CONTEXT_TOKENS = 5, 512
Events = tuple[Codes, Codes | Ended]


def options(**changes: object) -> Options:
    given = {
        "places": PLACES, "context_tokens": CONTEXT_TOKENS, "dtype": torch.float32, "cache_dtype": torch.float32,
        "kernels": "torch", "read_rows": (4, 32),
    }  # fmt: skip
    return Options(**given | changes)  # type: ignore[arg-type]


def request(index: int, frames: int = 10, **changes: object) -> GenerationRequest:
    """A request whose prompt is no text the model knows, but as long as one."""
    random = np.random.default_rng(index)
    prompt = (*PROFILE.prompt_prefix_ids, *random.integers(20, 200, 6 + 9 * index).tolist(), *PROFILE.prompt_suffix_ids)
    given: dict[str, object] = {"ignore_end": True, "admission_class": AdmissionClass.CONTINUING}
    sampling = Sampling(0.6 + 0.1 * index, 30 * (index % 2), 0.9, 1.1)
    return GenerationRequest(f"r{index}", prompt, sampling, 2**63 + index, frames, **given | changes)  # type: ignore[arg-type]


Story = Callable[[NativeEngine], Awaitable[None]]
Tell = Callable[[Story], None]


@contextmanager
def telling(opened: Callable[[], object]) -> Iterator[Tell]:
    """An engine, and how one story after another is told with it."""
    torch.set_num_threads(1)
    engine = NativeEngine(opened, PROFILE, PLACES, Limits(PROFILE.top_id + 1, CONTEXT_TOKENS), deterministic=False)  # type: ignore[arg-type]
    with asyncio.Runner() as runner:
        runner.run(engine.start())
        try:
            yield lambda story: runner.run(story(engine))  # type: ignore[arg-type]
        finally:
            runner.run(engine.stop())


async def events_of(engine: NativeEngine, request: GenerationRequest) -> Events:
    async with engine.open(request) as arriving:
        events = [event async for event in arriving]
    return np.concatenate([no_codes(), *events[:-1]]), events[-1]


@pytest.fixture(scope="module")
def expected() -> dict[int, Events]:
    """What the CPU's own model says, with an end where the model wants one for stream 4."""
    found: dict[int, Events] = {}

    async def story(engine: NativeEngine) -> None:
        for index in range(4):
            found[index] = await events_of(engine, request(index))
        found[4] = await events_of(engine, request(0, frames=60, ignore_end=False))

    with telling(partial(TileModel.load, DEMO, PROFILE, PLACES, CONTEXT_TOKENS)) as tell:
        tell(story)
    return found


@pytest.fixture(scope="module")
def tell() -> Iterator[Tell]:
    """With an engine of the CUDA path, in which nobody speaks before or after a story."""
    with telling(partial(open_graph_model, DEMO, PROFILE, options(), CPU)) as tell:
        yield tell


def test_streams_that_join_late_and_resume_get_the_codes_of_the_cpus_own_model(
    tell: Tell, expected: dict[int, Events]
) -> None:
    async def story(engine: NativeEngine) -> None:
        early = [asyncio.create_task(events_of(engine, request(k))) for k in (0, 1)]
        await asyncio.sleep(0.1)
        late = [asyncio.create_task(events_of(engine, request(k))) for k in (2, 3)]
        for k, (codes, end) in enumerate([*await asyncio.gather(*early), *await asyncio.gather(*late)]):
            assert np.array_equal(codes, expected[k][0]), f"stream {k}"
            assert isinstance(end, Ended)
            assert not end.by_model
        resumed, _ = await events_of(engine, request(3, resume=expected[3][0][:4]))
        assert np.array_equal(resumed, expected[3][0][4:])

    tell(story)


def test_the_model_ends_a_stream_where_the_cpus_own_model_does(tell: Tell, expected: dict[int, Events]) -> None:
    async def story(engine: NativeEngine) -> None:
        both = await asyncio.gather(
            events_of(engine, request(0, frames=60, ignore_end=False)), events_of(engine, request(1))
        )
        assert np.array_equal(both[0][0], expected[4][0])
        assert isinstance(both[0][1], Ended)
        assert both[0][1].by_model == expected[4][1].by_model  # type: ignore[union-attr]
        assert np.array_equal(both[1][0], expected[1][0])

    tell(story)


def test_logits_that_are_not_numbers_end_their_stream_and_no_other_then_or_later(
    tell: Tell, expected: dict[int, Events]
) -> None:
    async def story(engine: NativeEngine) -> None:
        poisoned = request(0)
        prompt = (*poisoned.prompt_ids[:2], 19, *poisoned.prompt_ids[2:])
        graph: GraphModel = engine._model  # type: ignore[assignment]
        with torch.inference_mode():
            before = graph.embedding[19].clone()
            graph.embedding[19] = float("nan")
        broken, sound = await asyncio.gather(
            events_of(engine, GenerationRequest("p", prompt, Sampling(0.6, 0, 0.9, 1.1), 1, 5, ignore_end=True)),
            events_of(engine, request(1)),
            return_exceptions=True,
        )
        with torch.inference_mode():
            graph.embedding[19] = before
        assert isinstance(broken, Broken)
        assert np.array_equal(sound[0], expected[1][0])  # type: ignore[index]
        again = await asyncio.gather(*(events_of(engine, request(k)) for k in range(4)))
        assert all(np.array_equal(codes, expected[k][0]) for k, (codes, _) in enumerate(again)), "in the same pages"

    tell(story)


def test_a_stream_waits_for_pages_and_hanging_up_gives_them_back() -> None:
    contexts = 2 * CONTEXT_TOKENS // PAGE_TOKENS + 1
    each = SHAPE.layers * 2 * SHAPE.kv_heads * PAGE_TOKENS * SHAPE.head_dim * 4
    small = partial(open_graph_model, DEMO, PROFILE, options(places=3, cache_bytes=contexts * each), CPU)

    async def story(engine: NativeEngine) -> None:
        long = (CONTEXT_TOKENS - 30) // SLOTS
        async with engine.open(request(0, long)) as first, engine.open(request(0, long)) as second:
            await anext(first)
            await anext(second)
            third = asyncio.create_task(events_of(engine, request(1, 3)))
            await asyncio.sleep(0.2)
            assert not third.done()
            assert engine.load().queued_streams == 1
        assert len((await third)[0]) == 3
        graph: GraphModel = engine._model  # type: ignore[assignment]
        assert graph.free_tokens == (contexts - 1) * PAGE_TOKENS

    with telling(small) as tell:
        tell(story)


def test_a_slot_keeps_its_pages_to_itself() -> None:
    pages = Pages(slots=4, pages=8)
    taken = [pages.take(100), pages.take(64), pages.take(129)]
    assert None not in taken
    assert sorted(page for slot in taken for page in pages.of(slot)) == [1, 2, 3, 4, 5, 6]  # type: ignore[arg-type]
    assert pages.take(1) is None, "no slot is left"
    pages.give_back(taken[2])  # type: ignore[arg-type]
    assert pages.take(5 * PAGE_TOKENS) is None, "no pages are left"
    assert pages.take(4 * PAGE_TOKENS) is not None


def test_a_cache_that_does_not_fit_is_refused_with_the_numbers() -> None:
    bf16 = options(places=256, context_tokens=12_512, dtype=torch.bfloat16, cache_dtype=torch.bfloat16)
    assert weight_bytes(ORPHEUS, bf16) == pytest.approx(6.78e9, rel=0.01), "2.819 B in the layers, embedding, 7 heads"
    free = 72_000_000_000
    assert pages_that_fit(ORPHEUS, bf16, free) * PAGE_TOKENS == pytest.approx(free / 114_688, rel=0.001)
    with pytest.raises(SetupError, match=r"a cache of 90.00 GB does not fit.* 72.00 GB are free"):
        pages_that_fit(ORPHEUS, options(cache_bytes=90_000_000_000), free)
    with pytest.raises(SetupError, match=r"hold 8640 tokens, and one stream may need 12512: .* 1.45 GB"):
        pages_that_fit(ORPHEUS, bf16, 1_000_000_000)


@torch.inference_mode()
def test_a_frame_that_is_on_its_way_is_followed_as_late_as_can_be() -> None:
    model = open_graph_model(DEMO, PROFILE, options(), CPU)
    loop = FrameLoop(model)
    assert loop.idle_seconds(0.0) is None
    first, second = (Stream(request(index), SlotGrammar(PROFILE), model.take(200) or 0) for index in (0, 1))
    loop.join(first)
    assert loop.idle_seconds(0.0) == 0
    list(loop.step(lambda: 0.0))
    list(loop.step(lambda: 0.0))
    model._frame_seconds = 60.0
    assert 30 < (loop.idle_seconds(0.0) or 0) < 60
    loop.join(second)
    assert 30 < (loop.idle_seconds(0.0) or 0) < 60
    model._frame_seconds = 0.0
    assert loop.idle_seconds(0.0) == 0
    assert [stream for spoken in loop.step(lambda: 0.0) for stream, _ in spoken] == [first]
    assert [stream for spoken in loop.step(lambda: 0.0) for stream, _ in spoken] == [first, second]
