"""The native engine on the demo model: laws 3 to 6 where they are made."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from swara.errors import RETRY_AFTER_SECONDS, Broken, Full
from swara.frames import FRAME_SECONDS, Codes, no_codes
from swara.profile import Profile, load_profile
from swara.speech import AdmissionClass, Sampling
from tests.stack.doors import FREE_SECONDS
from token_service.engines.base import Ended, GenerationRequest
from token_service.engines.limits import Limits
from token_service.engines.native.cache import KvCache
from token_service.engines.native.engine import HUNG_SECONDS, WATCH_SECONDS, NativeEngine
from token_service.engines.native.frame_loop import FrameLoop
from token_service.engines.native.llama import TILE, Llama
from token_service.engines.native.stream import Stream
from token_service.engines.native.tile_model import TileModel
from token_service.engines.native.weights import load_weights
from token_service.grammar import SlotGrammar
from token_service.lead import LOOKAHEAD_FRAMES, START_FRAMES
from token_service.plan import Planner, SegmentRequest
from token_service.prompt import Prompter, load_tokenizer

DEMO = Path("demo_model/weights/language_model")
PROFILE = load_profile(DEMO)
LONG_SECONDS = 60.0
TEXTS = ["नमस्ते", "आज मौसम बहुत अच्छा है।", "क्या आप चाय पिएँगे?", "हाँ", "मैं कल दिल्ली जा रहा हूँ।", "धन्यवाद"]


def request(index: int = 0, frames: int = 12, **changes: object) -> GenerationRequest:
    """A request of exactly `frames` frames for one of the texts."""
    planner = Planner(PROFILE, Prompter(PROFILE, load_tokenizer(DEMO)), 2048)
    segment = SegmentRequest(f"r{index}", TEXTS[index], "", Sampling(), 100 + index, max_frames=frames, ignore_end=True)
    # Work of this class is never refused, so that the tests of codes do not depend on how fast the machine is.
    changes = {"admission_class": AdmissionClass.CONTINUING, **changes}
    return replace(planner.plan(segment).generation, **changes)


@asynccontextmanager
async def running(
    max_streams: int = 6, reserve_streams: int = 2, profile: Profile = PROFILE
) -> AsyncIterator[NativeEngine]:
    torch.set_num_threads(1)
    opened = partial(TileModel.load, DEMO, profile, max_streams + reserve_streams, 2048)
    engine = NativeEngine(opened, profile, max_streams, Limits(profile.top_id + 1, 2048), deterministic=True)
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


async def spoken(engine: NativeEngine, request: GenerationRequest) -> tuple[Codes, Codes | Ended]:
    """All frames of one request, [F, 7], and its last event."""
    async with engine.open(request) as arriving:
        events = [event async for event in arriving]
    return np.concatenate([no_codes(), *events[:-1]]), events[-1]


async def codes_of(engine: NativeEngine, request: GenerationRequest) -> Codes:
    """All frames of one request, [F, 7]."""
    codes, end = await spoken(engine, request)
    assert isinstance(end, Ended)
    return codes


def in_an_engine(story: Callable[[NativeEngine], Awaitable[None]], **settings: Any) -> None:
    async def tell() -> None:
        async with running(**settings) as engine:
            await story(engine)

    asyncio.run(tell())


def test_codes_are_equal_alone_in_company_and_resumed() -> None:
    async def story(engine: NativeEngine) -> None:
        alone = [await codes_of(engine, request(k)) for k in range(6)]
        late = [asyncio.create_task(codes_of(engine, request(k))) for k in range(3)]
        await asyncio.sleep(0.1)
        together = await asyncio.gather(*late, *[codes_of(engine, request(k)) for k in range(3, 6)])
        resumed = await asyncio.gather(*[codes_of(engine, request(k, resume=alone[k][: k + 1])) for k in range(6)])
        for k in range(6):
            assert np.array_equal(alone[k], together[k]), f"stream {k} in company"
            assert np.array_equal(alone[k][k + 1 :], resumed[k]), f"stream {k} resumed"
        assert not np.array_equal(alone[0], await codes_of(engine, request(0, seed=5)))

    in_an_engine(story)


def test_every_code_is_of_its_slot_and_a_stream_ends_by_model_or_limit() -> None:
    async def story(engine: NativeEngine) -> None:
        limited = [request(k, frames=100, ignore_end=False) for k in range(3)]
        for codes, end in await asyncio.gather(*(spoken(engine, order) for order in limited)):
            assert codes.max(initial=0) < PROFILE.codebook_size
            assert end.by_model == (len(codes) < 100)
        at_least = await codes_of(engine, request(1, frames=40, ignore_end=False, min_frames=40))
        assert len(at_least) == 40

    in_an_engine(story)


def test_hanging_up_frees_the_slot_at_the_next_frame_border() -> None:
    async def story(engine: NativeEngine) -> None:
        for _ in range(20):
            async with engine.open(request(frames=200)) as events:
                await anext(events)
        async with asyncio.timeout(FREE_SECONDS):
            while engine.load().running_streams:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert engine._model.cache.free_slots == 8

    in_an_engine(story)


def test_full_is_said_at_once_and_only_to_new_streams() -> None:
    async def story(engine: NativeEngine) -> None:
        async with engine.open(request(frames=250)) as speaking:
            await anext(speaking)
            with pytest.raises(Full) as refusal:
                await engine.open(request(1, admission_class=AdmissionClass.NEW)).__aenter__()
            assert refusal.value.retry_after_seconds == RETRY_AFTER_SECONDS
            for work in (AdmissionClass.CONTINUING, AdmissionClass.RESUMED):
                assert len(await codes_of(engine, request(2, frames=3, admission_class=work))) == 3
        assert engine.load().capacity_streams == 1

    in_an_engine(story, max_streams=1, reserve_streams=1)


@torch.inference_mode()
def test_a_stream_ahead_of_its_listener_pauses_and_still_gives_the_same_codes() -> None:
    weights = load_weights(DEMO, PROFILE)
    loop = FrameLoop(TileModel(Llama(weights, 2048), KvCache(weights.shape, 2, 2048)))

    def frames_at(stream: Stream, now_seconds: float) -> list[Codes]:
        loop.join(stream)
        frames = [
            codes
            for _ in range(30)
            for spoken in loop.step(lambda: now_seconds)
            for _, codes in spoken
            if codes is not None
        ]
        loop.streams.remove(stream)
        return frames

    free = Stream(request(frames=14), SlotGrammar(PROFILE), 0)
    reined = Stream(request(frames=14, max_lead_seconds=0.5), SlotGrammar(PROFILE), 1)
    expected = frames_at(free, 100.0)[:14]
    at_once = frames_at(reined, 100.0)
    assert len(at_once) == LOOKAHEAD_FRAMES + 6, "the first frames that make more than half a second of speech"
    assert reined.paused_seconds(100.0) == pytest.approx(6 * FRAME_SECONDS - 0.5)
    later = frames_at(reined, 100.5)
    assert np.array_equal(np.concatenate([*at_once, *later])[:14], np.concatenate(expected))


@torch.inference_mode()
def test_a_listener_begins_when_a_frame_has_come_and_not_when_its_step_began() -> None:
    now_seconds = 100.0

    class SlowModel(TileModel):
        def queue(self, streams: Sequence[Stream]) -> None:
            nonlocal now_seconds
            super().queue(streams)
            now_seconds += 0.06

    weights = load_weights(DEMO, PROFILE)
    loop = FrameLoop(SlowModel(Llama(weights, 2048), KvCache(weights.shape, 1, 2048)))
    stream = Stream(request(), SlotGrammar(PROFILE), 0)
    loop.join(stream)
    while not stream.listened_to:
        list(loop.step(lambda: now_seconds))
    assert stream.lead_seconds(now_seconds) == pytest.approx((START_FRAMES - LOOKAHEAD_FRAMES) * FRAME_SECONDS)


def test_a_model_whose_prompts_are_the_text_alone_starts_and_speaks() -> None:
    async def story(engine: NativeEngine) -> None:
        text_ids = request().prompt_ids[len(PROFILE.prompt_prefix_ids) : -len(PROFILE.prompt_suffix_ids)]
        assert len(await codes_of(engine, request(frames=3, prompt_ids=text_ids))) == 3

    in_an_engine(story, profile=replace(PROFILE, prompt_prefix_ids=(), prompt_suffix_ids=()))


def test_a_stream_resumed_at_its_limit_ends_without_a_frame() -> None:
    async def story(engine: NativeEngine) -> None:
        whole = await codes_of(engine, request(frames=4))
        assert len(await codes_of(engine, request(frames=4, resume=whole))) == 0

    in_an_engine(story)


def test_an_overwhelming_end_of_speech_is_drawn_at_a_border_and_nowhere_else() -> None:
    async def story(engine: NativeEngine) -> None:
        grammar = SlotGrammar(PROFILE)
        streams = [Stream(request(ignore_end=False, min_frames=least), grammar, 0) for least in (0, 1)]
        for slot in range(PROFILE.slots):
            logits = torch.zeros(TILE, PROFILE.codebook_size + 1)
            logits[:, -1] = 1000.0
            ended = [index == PROFILE.codebook_size for index in engine._model._draw(streams, slot, logits)]
            assert ended == [slot == 0, False]

    in_an_engine(story)


def test_logits_that_are_not_numbers_end_their_stream_and_no_other() -> None:
    async def story(engine: NativeEngine) -> None:
        expected = await codes_of(engine, request(1))
        poisoned = request(0, prompt_ids=(*request(0).prompt_ids[:3], 20, *request(0).prompt_ids[3:]))
        engine._model._llama._weights.embedding[20] = float("nan")
        broken, sound = await asyncio.gather(
            codes_of(engine, poisoned), codes_of(engine, request(1)), return_exceptions=True
        )
        assert isinstance(broken, Broken)
        assert np.array_equal(sound, expected)

    in_an_engine(story)


def test_a_step_that_hangs_ends_the_engine_and_tells_its_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    blocked, answered = threading.Event(), threading.Event()

    async def story(engine: NativeEngine) -> None:
        queue = engine._model.queue

        def block(streams: Sequence[Stream]) -> None:
            blocked.set()
            answered.wait(LONG_SECONDS)
            queue(streams)

        async with engine.open(request(frames=250, max_lead_seconds=0.1)) as events:
            await anext(events)
            watching = asyncio.create_task(engine.failed())
            await asyncio.sleep(2 * WATCH_SECONDS)
            assert not watching.done(), "an engine that works is left alone"
            monkeypatch.setattr(engine._model, "queue", block)
            await asyncio.to_thread(blocked.wait, LONG_SECONDS)
            engine._busy_since_seconds = time.monotonic() - HUNG_SECONDS  # half a minute goes by
            with pytest.raises(Broken, match="hangs"):
                [_ async for _ in events]
            await asyncio.wait_for(watching, LONG_SECONDS)
            answered.set()

    in_an_engine(story)


def test_a_device_that_blocks_in_a_join_ends_the_engine_and_never_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("token_service.engines.native.engine.HUNG_SECONDS", 1.0)
    answered = threading.Event()

    async def story(engine: NativeEngine) -> None:
        async with engine.open(request(frames=250, max_lead_seconds=0.1)) as events:
            await anext(events)
            monkeypatch.setattr(engine._model, "join", lambda stream: answered.wait(LONG_SECONDS))
            watching = asyncio.create_task(engine.failed())
            async with engine.open(request(1)) as late:
                began = time.monotonic()
                while not watching.done():
                    assert engine.load().running_streams, "who asks for the load is answered"
                    assert time.monotonic() - began < 5.0
                    await asyncio.sleep(0.01)
                for told in (events, late):
                    with pytest.raises(Broken, match="hangs"):
                        [_ async for _ in told]
        answered.set()

    in_an_engine(story)
