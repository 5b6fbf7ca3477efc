"""What leaves vLLM's own process: whole frames, the first token at once, and all the rest with the end."""

import asyncio
import itertools

import pytest

pytest.importorskip("vllm", reason="vllm is not installed")

from vllm.sampling_params import SamplingParams
from vllm.v1.request import Request

from swara.frames import SLOTS
from tests.engines.requests import PROFILE, WILD, setup
from token_service.engines.token_source import TokenOrder
from token_service.engines.vllm_arguments import engine_arguments
from token_service.engines.vllm_engine import VllmSource
from token_service.engines.vllm_scheduler import due_ids

START_SECONDS = 240


def sent(drawn: list[int], ends: bool = False) -> list[list[int]]:
    """What is sent of a stream that draws so many tokens in each step, and ends with the last one or goes on."""
    request = Request("r", [1], SamplingParams(max_tokens=1000), None)
    numbers, batches = itertools.count(), []
    for step, count in enumerate(drawn, 1):
        request.append_output_token_ids(list(itertools.islice(numbers, count)))
        batches.append(due_ids(request, count, ends and step == len(drawn)))
    return batches


def test_a_frame_leaves_when_it_is_complete_and_the_first_token_at_once() -> None:
    assert [len(ids) for ids in sent([1] * 25)] == [1, *5 * [0], 6, *6 * [0], 7, *6 * [0], 7, *4 * [0]]


@pytest.mark.parametrize("drawn", [[1] * 16, [1, 3, 4, 1, 8, 2], [9], [1, 20, 1], [3, 3, 0], [1, 6, 6, 8]])
def test_what_waits_leaves_with_the_end_and_nothing_is_lost_or_sent_twice(drawn: list[int]) -> None:
    assert list(itertools.chain(*sent(drawn, ends=True))) == list(range(sum(drawn)))
    running = list(itertools.chain(*sent(drawn)))
    assert running == list(range(max(1, sum(drawn) // SLOTS * SLOTS)))


@pytest.mark.timeout(START_SECONDS)
def test_vllm_hands_the_tokens_of_a_frame_over_together() -> None:
    async def story() -> list[int]:
        source = VllmSource(setup("vllm"), engine_arguments(setup("vllm")))
        await source.start()
        try:
            tokens = 4 * SLOTS + 3
            order = TokenOrder("one", tuple(PROFILE.unheard_prompt_ids), tokens, tokens, WILD, seed=1)
            return [len(ids) async for ids in source.generate(order)]
        finally:
            await source.stop()

    assert asyncio.run(story()) == [1, 6, 7, 7, 7, 3]
