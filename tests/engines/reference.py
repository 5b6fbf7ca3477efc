"""The demo model by plain transformers: what greedy decoding must give, and a source that can leave the mask out."""

import asyncio
import functools
from collections.abc import AsyncGenerator
from typing import Any

import numpy as np
import torch
from transformers import LlamaForCausalLM

from swara.frames import SLOTS, Codes
from tests.engines.requests import DEMO, PROFILE
from token_service.engines.base import GenerationRequest
from token_service.engines.token_source import TokenOrder
from token_service.framer import frame_ids
from token_service.grammar import SlotGrammar

GRAMMAR = SlotGrammar(PROFILE)
# Closer than this, rounding decides between two codes.
TIE = 1e-3


@functools.cache
def model() -> LlamaForCausalLM:
    """The demo model in fp32."""
    return LlamaForCausalLM.from_pretrained(DEMO, dtype=torch.float32).eval()


def assert_greedy(request: GenerationRequest, codes: Codes) -> None:
    """Every code is the likeliest there, up to the first place where two are too close to tell."""
    ids = [*request.prompt_ids, *frame_ids(GRAMMAR, request.resume)]
    wanted = frame_ids(GRAMMAR, codes)
    with torch.inference_mode():
        logits = model()(torch.tensor([[*ids, *wanted]])).logits[0, len(ids) - 1 : -1]
    for place, token_id in enumerate(wanted):
        first = GRAMMAR.first_id(place % SLOTS)
        best = logits[place, first : first + GRAMMAR.codebook_size].topk(2)
        if float(best.values[0] - best.values[1]) < TIE:
            assert place > SLOTS, "a tie in the first frame would leave nothing compared"
            return
        assert token_id == first + int(best.indices[0]), f"token {place}"


def greedy_codes(request: GenerationRequest) -> Codes:
    """What transformers says, one token after the other, [F, 7]."""
    ids, new_ids, memory = [], list(request.prompt_ids), None
    for _ in range(request.max_frames * SLOTS):
        logits, memory = _next_logits(new_ids, memory)
        legal = _legal_ids(new_ids[-1])
        new_ids = [legal[int(logits[legal].argmax())]]
        ids += new_ids
    firsts = np.array([GRAMMAR.first_id(slot) for slot in range(SLOTS)])
    return (np.array(ids).reshape(-1, SLOTS) - firsts).astype(np.uint16)


class PlainSource:
    """Draws from the demo model at temperature 1, a token at a time; without the mask any id may come."""

    whole_frames = False

    def __init__(self, masked: bool) -> None:
        self._masked = masked
        self.open_orders: set[str] = set()

    async def start(self) -> None:
        model()

    async def generate(self, order: TokenOrder) -> AsyncGenerator[list[int], None]:
        self.open_orders.add(order.order_id)
        generator = torch.Generator().manual_seed(order.seed)
        new_ids, memory = list(order.ids), None
        try:
            for _ in range(order.max_tokens):
                logits, memory = _next_logits(new_ids, memory)
                legal = _legal_ids(new_ids[-1]) if self._masked else range(len(logits))
                drawn = torch.multinomial(logits[legal].softmax(-1), 1, generator=generator)
                new_ids = [legal[int(drawn)]]
                yield new_ids
        finally:
            self.open_orders.remove(order.order_id)

    async def failed(self) -> None:
        await asyncio.Event().wait()

    async def stop(self) -> None:
        return


def _legal_ids(last_id: int) -> list[int]:
    """What may follow an id, END_OF_SPEECH left out."""
    return [token_id for token_id in GRAMMAR.legal_ids(GRAMMAR.slot_after(last_id)) if token_id != GRAMMAR.end_id]


@torch.inference_mode()
def _next_logits(new_ids: list[int], memory: Any) -> tuple[torch.Tensor, Any]:
    """Logits of what follows, and the model's memory of everything so far."""
    answer = model()(torch.tensor([new_ids]), past_key_values=memory, use_cache=True)
    return answer.logits[0, -1], answer.past_key_values
