"""Recordings as frames of codes: each utterance is encoded several times, at random offsets within a frame and at
random gains, so that the language model sees many true codings of one sound."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from snac import SNAC
from tokenizers import Tokenizer
from torch import Tensor

from demo_model.blueprint import BOS, PROMPT_PREFIX_IDS, PROMPT_SUFFIX_IDS, SAMPLES_PER_FRAME
from demo_model.frames import levels_to_frames
from demo_model.recordings import Recording
from demo_model.tokenizer import build_tokenizer

MIN_TAIL_SAMPLES = 1_200
BATCH_SAMPLES = 64 * 24_000
FRAME_MULTIPLE = 8
"""Few distinct lengths: each new one costs the GPU's libraries a search."""


@dataclass(frozen=True)
class Corpus:
    """`frames` [N, 7] holds every coding; row r of variant v lies at starts[v, r], counts[v, r] frames long."""

    rows: list[Recording]
    frames: npt.NDArray[np.int16]
    starts: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]

    def coding(self, variant: int, row: int) -> npt.NDArray[np.int16]:
        """Frames [F, 7] of one recording."""
        start = self.starts[variant, row]
        return self.frames[start : start + self.counts[variant, row]]

    def save(self, path: Path) -> None:
        """Write all but the rows."""
        np.savez(path, frames=self.frames, starts=self.starts, counts=self.counts)

    @classmethod
    def load(cls, path: Path, rows: list[Recording]) -> "Corpus":
        """Read what `save` wrote for the same rows."""
        arrays = np.load(path)
        return cls(rows, arrays["frames"], arrays["starts"], arrays["counts"])


def prompt_ids(voice: str, texts: list[str]) -> list[int]:
    """The whole prompt, as a server builds it from the profile; several texts are joined by a space."""
    characters = tokenizer().encode(f"{voice}: {' '.join(texts)}", add_special_tokens=False).ids
    return [*PROMPT_PREFIX_IDS, BOS, *characters, *PROMPT_SUFFIX_IDS]


@cache
def tokenizer() -> Tokenizer:
    """The tokenizer, built at the first call."""
    return build_tokenizer()


def frames_needed(length: int, offset: int) -> int:
    """Frames that hold `offset` silent samples, the recording, and a tail of at least MIN_TAIL_SAMPLES."""
    return -(-(offset + length + MIN_TAIL_SAMPLES) // SAMPLES_PER_FRAME)


def length_batches(rows: list[Recording]) -> list[list[int]]:
    """Row numbers in batches of similar length and bounded padded size."""
    order = sorted(range(len(rows)), key=lambda index: rows[index].length)
    batches: list[list[int]] = [[]]
    for index in order:
        if (len(batches[-1]) + 1) * rows[index].length > BATCH_SAMPLES:
            batches.append([])
        batches[-1].append(index)
    return batches


def padded_audio(flat: Tensor, rows: list[Recording], offsets: list[int], gains: list[float]) -> Tensor:
    """The recordings [B, T], each after its offset of silence and at its gain, T a whole number of frames."""
    count = max(frames_needed(row.length, offset) for row, offset in zip(rows, offsets, strict=True))
    count = -(-count // FRAME_MULTIPLE) * FRAME_MULTIPLE
    audio = torch.zeros(len(rows), count * SAMPLES_PER_FRAME, device=flat.device)
    for index, (row, offset, gain) in enumerate(zip(rows, offsets, gains, strict=True)):
        audio[index, offset : offset + row.length] = flat[row.start : row.start + row.length].float() * (gain / 32_768)
    return audio


@dataclass(frozen=True)
class CodedBatch:
    """Some rows of one variant: their `audio` [B, T] as it was coded, `frames` [B, T / 2048, 7] int16, and how many
    frames of each row are its own."""

    variant: int
    rows: list[int]
    counts: list[int]
    audio: Tensor
    frames: Tensor


@torch.inference_mode()
def coded_batches(
    codec: SNAC, flat: Tensor, rows: list[Recording], variants: int, seed: int = 0
) -> Iterator[CodedBatch]:
    """Encode every row `variants` times; the first variant has no offset and no gain."""
    random = np.random.default_rng(seed)
    for variant in range(variants):
        for batch in length_batches(rows):
            chosen = [rows[index] for index in batch]
            offsets = [int(random.integers(SAMPLES_PER_FRAME)) if variant else 0 for _ in batch]
            gains = [float(random.uniform(0.8, 1.15)) if variant else 1.0 for _ in batch]
            audio = padded_audio(flat, chosen, offsets, gains)
            frames = levels_to_frames(codec.encode(audio.unsqueeze(1))).to(torch.int16)
            counts = [frames_needed(row.length, offset) for row, offset in zip(chosen, offsets, strict=True)]
            yield CodedBatch(variant, batch, counts, audio, frames)


def encode(codec: SNAC, samples: Any, rows: list[Recording], variants: int, device: torch.device) -> Corpus:
    """Every coding of every row."""
    flat = torch.from_numpy(np.array(samples)).to(device)
    starts, counts = np.zeros((variants, len(rows)), np.int64), np.zeros((variants, len(rows)), np.int64)
    pieces: list[npt.NDArray[np.int16]] = []
    total = 0
    for batch in coded_batches(codec, flat, rows, variants):
        coded = batch.frames.cpu().numpy()
        for place, (index, count) in enumerate(zip(batch.rows, batch.counts, strict=True)):
            starts[batch.variant, index], counts[batch.variant, index] = total, count
            pieces.append(coded[place, :count])
            total += count
    return Corpus(rows, np.concatenate(pieces), starts, counts)
