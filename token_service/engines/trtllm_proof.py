"""What a TensorRT-LLM must show before it serves: that it honours seed and repetition penalty.

Releases differ: some take both and do nothing with them, silently, and a model that needs the penalty then speaks in
loops. No list of versions is kept; two short runs tell.
"""

from contextlib import aclosing
from dataclasses import replace

from swara.errors import SetupError
from swara.frames import SLOTS
from swara.profile import Profile
from swara.speech import Sampling
from token_service.engines.token_source import TokenOrder, TokenSource

PROOF_TOKENS = 8 * SLOTS
PLAIN = Sampling(temperature=1.5, top_k=0, top_p=1.0, repetition_penalty=1.0)
# Less than 1 is a reward: every code that has been drawn is then a hundred times likelier by its logit, and what
# follows the first frames cannot stay the same. No caller may ask for it.
REWARD = 0.01


async def prove_sampling(source: TokenSource, profile: Profile, release: str) -> None:
    """Raises SetupError with a sentence for a source that ignores seed or repetition penalty."""
    order = TokenOrder("sampling", profile.unheard_prompt_ids, PROOF_TOKENS, PROOF_TOKENS, PLAIN, seed=1)
    first, again, other = [await _drawn(source, replace(order, seed=seed)) for seed in (1, 1, 2)]
    if first != again or first == other:
        raise SetupError(f"{release} ignores the seed of a request: take 1.3.0rc25 or newer, or 1.2.1")
    rewarded = replace(order, sampling=replace(PLAIN, repetition_penalty=REWARD))
    if await _drawn(source, rewarded) == first:
        raise SetupError(f"{release} ignores repetition_penalty: take 1.3.0rc24 or newer, or 1.2.1")


async def _drawn(source: TokenSource, order: TokenOrder) -> list[int]:
    async with aclosing(source.generate(order)) as arriving:
        return [token_id async for new_ids in arriving for token_id in new_ids]
