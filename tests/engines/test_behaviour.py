"""What every engine does alike: grammar, ends, seeds, hanging up, resuming, and requests that nobody should send."""

import asyncio
import time
from dataclasses import replace

import numpy as np
import pytest

from swara.errors import Full, InvalidRequest
from swara.frames import SLOTS
from swara.speech import AdmissionClass
from tests.engines.conftest import Served
from tests.engines.reference import assert_greedy, greedy_codes
from tests.engines.requests import CONTEXT_TOKENS, GREEDY, PLACES, PROFILE, WILD, codes_of, request, spoken

PROMPT_SECONDS = 5.0


def test_every_code_is_in_its_slot_however_hot_the_draw(served: Served) -> None:
    async def story() -> None:
        wild = [request(k, frames=20, sampling=WILD) for k in range(PLACES)]
        for codes in await asyncio.gather(*[codes_of(served.engine, one) for one in wild]):
            assert codes.shape == (20, SLOTS)
            assert codes.max() < PROFILE.codebook_size
            assert len(np.unique(codes)) > 30, "a hot draw uses much of the codebook"

    served.run(story())


def test_a_stream_ends_by_the_model_or_at_its_limit(served: Served) -> None:
    async def story() -> None:
        ends = [await spoken(served.engine, request(k, frames=120, ignore_end=False)) for k in range(3)]
        assert any(end.by_model for _, end in ends)
        for codes, end in ends:
            assert end.by_model == (len(codes) < 120)
        codes, end = await spoken(served.engine, request(0, frames=5, ignore_end=False))
        assert (len(codes), end.by_model) == (5, False)

    served.run(story())


def test_no_stream_ends_before_its_shortest_length(served: Served) -> None:
    async def story() -> None:
        codes, _ = await spoken(served.engine, request(3, frames=90, ignore_end=False, min_frames=80))
        assert len(codes) >= 80

    served.run(story())


def test_one_seed_gives_the_same_codes_and_another_gives_others(served: Served) -> None:
    async def story() -> None:
        for seed in (0, 7, 2**64 - 1):
            first, second = [await codes_of(served.engine, request(1, seed=seed)) for _ in range(2)]
            assert np.array_equal(first, second), f"seed {seed}"
        assert not np.array_equal(first, await codes_of(served.engine, request(1, seed=8)))

    served.run(story())


def test_greedy_codes_are_those_of_plain_transformers(served: Served) -> None:
    async def story() -> None:
        assert np.array_equal(await codes_of(served.engine, request(1, 3, GREEDY)), greedy_codes(request(1, 3)))
        for k in range(PLACES):
            one = request(k, frames=40, sampling=GREEDY)
            assert_greedy(one, await codes_of(served.engine, one))

    served.run(story())


def test_a_resumed_stream_goes_on_where_the_other_stopped(served: Served) -> None:
    async def story() -> None:
        whole = await codes_of(served.engine, request(1, sampling=GREEDY))
        for frames in (1, 5):
            resumed = request(1, sampling=GREEDY, resume=whole[:frames])
            rest = await codes_of(served.engine, resumed)
            assert len(rest) == len(whole) - frames
            assert_greedy(resumed, rest)
        assert len(await codes_of(served.engine, request(1, resume=whole))) == 0

    served.run(story())


def test_hanging_up_frees_the_place_at_once(served: Served) -> None:
    async def story() -> None:
        for _ in range(3):
            long = [asyncio.create_task(codes_of(served.engine, request(k, frames=280))) for k in range(PLACES)]
            await asyncio.sleep(0.3)
            for task in long:
                task.cancel()
            await asyncio.gather(*long, return_exceptions=True)
        began = time.monotonic()
        assert len(await codes_of(served.engine, request(1, frames=2))) == 2
        assert time.monotonic() - began < PROMPT_SECONDS, "it waited for streams that nobody hears"
        load = served.engine.load()
        assert (load.running_streams, load.queued_streams) == (0, 0)

    served.run(story())


def test_only_new_streams_are_refused_when_all_places_are_taken(served: Served) -> None:
    async def story() -> None:
        capacity = served.engine.load().capacity_streams
        long = [asyncio.create_task(codes_of(served.engine, request(k, frames=280))) for k in range(capacity)]
        await asyncio.sleep(0.1)
        with pytest.raises(Full) as refusal:
            await codes_of(served.engine, request(0, admission_class=AdmissionClass.NEW))
        assert refusal.value.retry_after_seconds > 0
        assert len(await codes_of(served.engine, request(0, frames=2))) == 2
        for task in long:
            task.cancel()
        await asyncio.gather(*long, return_exceptions=True)

    served.run(story())


@pytest.mark.parametrize("wrong_id", [-1, 7424, 2**31])
def test_an_id_that_the_model_does_not_have_is_refused_and_hurts_nobody(served: Served, wrong_id: int) -> None:
    async def story() -> None:
        good = request(1)
        beside = asyncio.create_task(codes_of(served.engine, good))
        with pytest.raises(InvalidRequest, match="vocabulary"):
            await codes_of(served.engine, replace(good, prompt_ids=(*good.prompt_ids[:-1], wrong_id)))
        assert len(await beside) == 12

    served.run(story())


def test_a_prompt_that_leaves_no_room_is_refused(served: Served) -> None:
    async def story() -> None:
        good = request(1)
        with pytest.raises(InvalidRequest, match="context"):
            await codes_of(served.engine, replace(good, prompt_ids=good.prompt_ids * 200))
        with pytest.raises(InvalidRequest, match="context"):
            await codes_of(served.engine, replace(good, max_frames=CONTEXT_TOKENS // SLOTS))
        with pytest.raises(InvalidRequest, match="empty"):
            await codes_of(served.engine, replace(good, prompt_ids=()))
        assert len(await codes_of(served.engine, good)) == 12

    served.run(story())
