"""Training batches: random codings, some utterances joined, bucketed by length, padded on the right."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from demo_model.blueprint import CODE_BASE_ID, CODEBOOK_SIZE, PAD, SLOTS
from demo_model.corpus import Corpus, prompt_ids

SLOT_BASES = CODE_BASE_ID + CODEBOOK_SIZE * np.arange(SLOTS)
MAX_CHARACTERS, MAX_FRAMES = 160, 200
JOIN_TWO, JOIN_THREE = 0.3, 0.1
POOL = 2_048


@dataclass(frozen=True)
class Example:
    """One prompt and its frames [F, 7]."""

    prompt: list[int]
    frames: npt.NDArray[np.int16]

    @property
    def tokens(self) -> int:
        """Length of the whole sequence."""
        return len(self.prompt) + self.frames.size


@dataclass(frozen=True)
class Batch:
    """`ids` [B, T]; hidden states at flat `positions` [F, 7] predict `codes` [F, 7], those at `ends` [B] the end."""

    ids: Tensor
    positions: Tensor
    codes: Tensor
    ends: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device."""
        return Batch(
            *(tensor.to(device, non_blocking=True) for tensor in (self.ids, self.positions, self.codes, self.ends))
        )


def collate(examples: list[Example], multiple: int = 32) -> Batch:
    """Pad the examples to a common length, a multiple of `multiple`."""
    length = -(-max(example.tokens for example in examples) // multiple) * multiple
    ids = np.full((len(examples), length), PAD, np.int64)
    positions, ends = [], []
    for row, example in enumerate(examples):
        first, count = len(example.prompt), example.frames.size
        ids[row, :first] = example.prompt
        ids[row, first : first + count] = (example.frames + SLOT_BASES).ravel()
        place = row * length + first - 1
        positions.append(place + np.arange(count).reshape(-1, SLOTS))
        ends.append(place + count)
    codes = np.concatenate([example.frames for example in examples]).astype(np.int64)
    return Batch(*(torch.from_numpy(array) for array in (ids, np.concatenate(positions), codes, np.array(ends))))


def bucket(examples: list[Example], batch_tokens: int) -> list[list[Example]]:
    """Group examples of similar length so that a padded batch stays within `batch_tokens`."""
    groups: list[list[Example]] = [[]]
    for example in sorted(examples, key=lambda item: item.tokens):
        if groups[-1] and (len(groups[-1]) + 1) * (example.tokens + 31) > batch_tokens:
            groups.append([])
        groups[-1].append(example)
    return groups


class TrainingBatches(IterableDataset[Batch]):
    """Endless random batches; every worker draws its own."""

    def __init__(self, corpus: Corpus, batch_tokens: int, seed: int) -> None:
        self.corpus, self.batch_tokens, self.seed = corpus, batch_tokens, seed
        self.by_voice: dict[str, list[int]] = {}
        for index, row in enumerate(corpus.rows):
            self.by_voice.setdefault(row.voice, []).append(index)

    def __iter__(self) -> Iterator[Batch]:
        worker = torch.utils.data.get_worker_info()
        random = np.random.default_rng([self.seed, worker.id if worker else 0])
        while True:
            groups = bucket([self.draw(random) for _ in range(POOL)], self.batch_tokens)
            for index in random.permutation(len(groups)):
                yield collate(groups[index])

    def draw(self, random: np.random.Generator) -> Example:
        """One utterance, or two or three of the same voice one after another."""
        first = int(random.integers(len(self.corpus.rows)))
        chance = random.random()
        wanted = 3 if chance < JOIN_THREE else 2 if chance < JOIN_THREE + JOIN_TWO else 1
        mates = self.by_voice[self.corpus.rows[first].voice]
        chosen, frames = [first], [self.coding(random, first)]
        for _ in range(wanted - 1):
            index = mates[int(random.integers(len(mates)))]
            coding = self.coding(random, index)
            characters = sum(len(self.corpus.rows[i].text) + 1 for i in [*chosen, index])
            if characters > MAX_CHARACTERS or sum(map(len, frames)) + len(coding) > MAX_FRAMES:
                break
            chosen, frames = [*chosen, index], [*frames, coding]
        texts = [self.corpus.rows[index].text for index in chosen]
        return Example(prompt_ids(self.corpus.rows[first].voice, texts), np.concatenate(frames))

    def coding(self, random: np.random.Generator, row: int) -> npt.NDArray[np.int16]:
        """A random variant of one recording."""
        return self.corpus.coding(int(random.integers(len(self.corpus.starts))), row)


def fixed_batches(corpus: Corpus, batch_tokens: int, variant: int = 0) -> list[Batch]:
    """Every recording once, unjoined: for validation."""
    rows = range(len(corpus.rows))
    examples = [
        Example(prompt_ids(corpus.rows[r].voice, [corpus.rows[r].text]), corpus.coding(variant, r)) for r in rows
    ]
    return [collate(group) for group in bucket(examples, batch_tokens)]


def with_noise(ids: Tensor, share: float) -> Tensor:
    """Replace a share of the input codes by random codes of the same slot, so that the model learns to recover."""
    slots = (ids - CODE_BASE_ID) // CODEBOOK_SIZE
    random = CODE_BASE_ID + slots * CODEBOOK_SIZE + torch.randint_like(ids, CODEBOOK_SIZE)
    hit = (torch.rand(ids.shape, device=ids.device) < share) & (ids >= CODE_BASE_ID)
    return torch.where(hit, random, ids)
