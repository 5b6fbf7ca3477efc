"""What a token source must show before it serves: that it keeps the slot grammar, and how many streams it carries."""

import asyncio
import math
import time
from contextlib import aclosing

from swara.capacity import USABLE_SHARE
from swara.errors import Full, SetupError
from swara.frames import FRAME_SECONDS, SLOTS
from swara.profile import Profile
from swara.speech import Sampling
from token_service.engines.token_source import TokenOrder, TokenSource
from token_service.grammar import SlotGrammar

# The hottest and widest draw there is: a model that is free to choose would leave the grammar at once.
WILD = Sampling(temperature=2.0, top_k=0, top_p=1.0, repetition_penalty=1.0)
PROOF_TOKENS = 2 * SLOTS
# Three frames: some hundred milliseconds of a healthy engine; the prompt's time is not counted.
TIMED_TOKENS = 3 * SLOTS


class Trial:
    """Short generations that nobody hears."""

    def __init__(self, source: TokenSource, profile: Profile) -> None:
        self._source = source
        self._profile = profile
        self._grammar = SlotGrammar(profile)
        self._prompt = profile.unheard_prompt_ids

    async def prove_slot_mask(self) -> None:
        """From a prompt that ends anywhere in a frame, every token must be legal; raises SetupError.

        A source of whole frames has nothing but their borders to begin at.
        """
        begun = [()] if self._source.whole_frames else [(self._grammar.first_id(slot),) for slot in range(SLOTS)]
        await asyncio.gather(*[self._prove_after((*self._prompt, *ids)) for ids in begun])

    async def carried_streams(self, ceiling_streams: int) -> int:
        """The most streams, up to the ceiling, for which a frame takes no more than its share of real time.

        They draw as listeners' streams do, and once unmeasured: what an engine compiles at its first draw of a kind, no
        listener waits for, and it is no sign of how fast the engine is.
        """
        await self._frame_seconds(ceiling_streams)
        streams = ceiling_streams
        while streams > 1 and await self._frame_seconds(streams) > USABLE_SHARE * FRAME_SECONDS:
            streams //= 2
        return streams

    async def _prove_after(self, ids: tuple[int, ...]) -> None:
        drawn, _ = await self._drawn(f"proof-{self._grammar.slot_after(ids[-1])}", ids, PROOF_TOKENS, 0, WILD)
        last_id = ids[-1]
        for token_id in drawn:
            if token_id not in self._grammar.legal_ids(self._grammar.slot_after(last_id)):
                raise SetupError(
                    f"the engine does not keep the slot grammar: it drew token {token_id} after {last_id}; "
                    "it serves the model without the slot mask"
                )
            last_id = token_id

    async def _frame_seconds(self, streams: int) -> float:
        """What a frame takes in a batch of so many streams, the slowest of them; infinite where they find no room."""
        usual = self._profile.sampling
        runs = [self._drawn(f"trial-{k}", self._prompt, TIMED_TOKENS, TIMED_TOKENS, usual) for k in range(streams)]
        slowest_seconds = 0.0
        for answer in await asyncio.gather(*runs, return_exceptions=True):
            match answer:
                case Full():
                    return math.inf
                case BaseException():
                    raise answer
                case _, token_seconds:
                    slowest_seconds = max(slowest_seconds, token_seconds)
        return slowest_seconds * SLOTS

    async def _drawn(
        self, order_id: str, ids: tuple[int, ...], max_tokens: int, min_tokens: int, sampling: Sampling
    ) -> tuple[list[int], float]:
        """The tokens, and how long each took after the first of them had come."""
        order = TokenOrder(order_id, ids, max_tokens, min_tokens, sampling, seed=len(order_id))
        batches: list[list[int]] = []
        arrived_seconds: list[float] = []
        async with aclosing(self._source.generate(order)) as arriving:
            async for new_ids in arriving:
                batches.append(new_ids)
                arrived_seconds.append(time.perf_counter())
        if not batches:
            raise SetupError("the engine drew no token after a prompt of this profile")
        later = sum(map(len, batches[1:]))
        drawn = [token_id for batch in batches for token_id in batch]
        return drawn, (arrived_seconds[-1] - arrived_seconds[0]) / max(1, later)
