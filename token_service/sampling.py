"""From logits to a code: repetition penalty, temperature, top-k, top-p, and a draw keyed by (seed, position).

Every function works row by row, so a row's result does not depend on its neighbours.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from swara import keyed
from swara.speech import Sampling

NEVER = float("-inf")
GREEDY_BELOW = 1e-5


@dataclass
class SamplingRows:
    """Sampling settings as one tensor each, [R]; a row belongs to a stream."""

    temperature: Tensor
    top_k: Tensor
    top_p: Tensor
    repetition_penalty: Tensor
    seed: Tensor

    @classmethod
    def of(cls, rows: list[tuple[Sampling, int]]) -> "SamplingRows":
        """Tensors from each row's resolved sampling and seed."""

        def column(name: str) -> list[float]:
            return [getattr(sampling, name) for sampling, _ in rows]

        return cls(
            torch.tensor(column("temperature"), dtype=torch.float32),
            torch.tensor(column("top_k"), dtype=torch.int64),
            torch.tensor(column("top_p"), dtype=torch.float32),
            torch.tensor(column("repetition_penalty"), dtype=torch.float32),
            torch.tensor([keyed.signed(seed) for _, seed in rows], dtype=torch.int64),
        )


def draw(
    logits: Tensor, seen: Tensor, rows: SamplingRows, position: Tensor, cut: Callable[..., Tensor] | None = None
) -> Tensor:
    """One index a row, [R] int64, drawn from logits [R, N] (illegal ones at -inf).

    `seen` [R, N] marks ids that are in the prompt or output already; `position` [R] counts the segment's tokens. `cut`
    is `nucleus`, or `always_cut` where nothing may look at what the tensors hold.
    """
    logits = penalised(logits, seen, rows.repetition_penalty)
    greedy = rows.temperature < GREEDY_BELOW
    scaled = logits / rows.temperature.clamp_min(GREEDY_BELOW)[:, None]
    kept = (cut or nucleus)(scaled, rows.top_k, rows.top_p)
    key = keyed.mix(rows.seed, position)[:, None]
    noise = keyed.gumbel(keyed.mix(key, torch.arange(logits.shape[1], device=logits.device)))
    return torch.where(greedy[:, None], logits, kept + noise).argmax(-1)


def penalised(logits: Tensor, seen: Tensor, penalty: Tensor) -> Tensor:
    """Logits [R, N] with those of seen ids divided by the row's penalty where positive, multiplied where negative."""
    penalty = penalty[:, None]
    return torch.where(seen, torch.where(logits > 0, logits / penalty, logits * penalty), logits)


def nucleus(logits: Tensor, top_k: Tensor, top_p: Tensor) -> Tensor:
    """Logits [R, N] with all but the top k and the smallest set that reaches probability p at -inf.

    k of 0 and p of 1 keep everything; the likeliest always stays.
    """
    if bool(((top_k == 0) & (top_p >= 1)).all()):
        return logits
    return always_cut(logits, top_k, top_p)


def always_cut(logits: Tensor, top_k: Tensor, top_p: Tensor) -> Tensor:
    """What `nucleus` gives, without a look at whether there is anything to cut."""
    ordered, order = torch.sort(logits, dim=-1, descending=True, stable=True)
    rank = torch.arange(logits.shape[1], device=logits.device)
    limit = torch.where(top_k == 0, logits.shape[1], top_k)[:, None]
    ordered = torch.where(rank < limit, ordered, NEVER)
    probability = ordered.softmax(-1)
    before = probability.cumsum(-1) - probability
    ordered = torch.where((before < top_p[:, None]) | (rank == 0), ordered, NEVER)
    return torch.empty_like(logits).scatter_(-1, order, ordered)
