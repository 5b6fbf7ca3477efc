"""One step of a Llama for a tile of rows, in arithmetic that does not depend on who else is in the tile.

A row is one token of one stream: the newest of a stream that speaks, or one of several from a prompt. Every product
runs over exactly TILE rows and attention runs row by row over exactly that row's keys, so a row's bits are the same
alone, beside others, in a prompt or when it is resumed (law 4).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from token_service.engines.native.cache import KvCache
from token_service.engines.native.weights import LayerWeights, LlamaWeights, rope_frequencies

# Four rows cost little more than one where weights come from memory, and twice as many cost twice as much.
TILE = 4


@dataclass(frozen=True)
class Row:
    """A token on its way through the model: its id, its place in the sequence, and the cache slot of its stream."""

    token_id: int
    position: int
    cache_slot: int


class Llama:
    """The weights with their rotary table; the streams' state is the cache, passed in."""

    def __init__(self, weights: LlamaWeights, context_tokens: int) -> None:
        self.shape = weights.shape
        self._weights = weights
        angles = torch.arange(context_tokens, dtype=torch.float32)[:, None] * rope_frequencies(weights.shape)
        self._turns = torch.polar(torch.ones_like(angles), angles)

    def forward(self, rows: list[Row], cache: KvCache) -> Tensor:
        """Final hidden states [TILE, hidden] of up to TILE rows, whose keys and values are added to the cache.

        Rows of one stream must be in order of position, with all earlier positions cached; rows past the end are junk.
        """
        padding = [0] * (TILE - len(rows))
        hidden = self._weights.embedding[torch.tensor([row.token_id for row in rows] + padding)]
        turns = self._turns[torch.tensor([row.position for row in rows] + padding)][:, None]
        for index, layer in enumerate(self._weights.layers):
            hidden = hidden + self._attention(index, layer, self._norm(hidden), turns, rows, cache)
            hidden = hidden + self._mlp(layer, self._norm(hidden))
        return self._norm(hidden)

    def logits(self, hidden: Tensor, slot: int) -> Tensor:
        """Logits [TILE, codebook + 1] of one slot's codes, the last END_OF_SPEECH's, from states [TILE, hidden]."""
        return _product(self._weights.heads[slot], hidden).t().contiguous()

    def _attention(
        self, index: int, layer: LayerWeights, x: Tensor, turns: Tensor, rows: list[Row], cache: KvCache
    ) -> Tensor:
        heads, kv_heads, head_dim = self.shape.heads, self.shape.kv_heads, self.shape.head_dim
        qkv = _product(layer.qkv, x).t().contiguous().view(TILE, heads + 2 * kv_heads, head_dim)
        pairs = torch.view_as_complex(qkv[:, : heads + kv_heads].unflatten(-1, (-1, 2)))
        qkv[:, : heads + kv_heads] = torch.view_as_real(pairs * turns).flatten(-2)
        queries = qkv[:, :heads].view(TILE, 1, kv_heads, -1, head_dim)
        keys_values = qkv[:, heads:].view(TILE, 2, kv_heads, head_dim)
        mixed = torch.zeros(TILE, heads * head_dim)
        for r, row in enumerate(rows):
            cache.write(index, row.cache_slot, row.position, keys_values[r])
            keys, values = cache.read(index, row.cache_slot, row.position + 1)
            # The query heads that share a key head are the queries of one product.
            mixed[r] = F.scaled_dot_product_attention(queries[r], keys, values).view(-1)
        return _product(layer.out, mixed).t()

    def _mlp(self, layer: LayerWeights, x: Tensor) -> Tensor:
        gate, up = _product(layer.gate_up, x).chunk(2)
        return _product(layer.down, F.silu(gate).mul_(up).t().contiguous()).t()

    def _norm(self, x: Tensor) -> Tensor:
        """RMS norm without its weight, which is folded into the product that follows."""
        return F.rms_norm(x, (self.shape.hidden,), None, self.shape.norm_epsilon)


def _product(weight: Tensor, x: Tensor) -> Tensor:
    """`weight` [out, in] by rows [TILE, in], as [out, TILE]: for few rows twice as fast on a CPU as x @ weight.T."""
    return weight @ x.t()
