"""Speak a batch of texts with the model in one process: the shortest path from text to PCM, for evaluation."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from snac import SNAC
from torch import Tensor

from demo_model.blueprint import CODE_BASE_ID, CODEBOOK_SIZE, END_OF_SPEECH, SLOTS
from demo_model.corpus import prompt_ids
from demo_model.frames import frames_to_levels
from demo_model.llama import Llama


@dataclass(frozen=True)
class Sampling:
    """How a code is drawn; `top_k` 0 means all."""

    temperature: float = 0.6
    top_k: int = 0
    top_p: float = 0.9
    repetition_penalty: float = 1.0


@dataclass(frozen=True)
class Speech:
    """What was made of one text: frames [F, 7], whether it ended by itself, and audio [T] at 24 kHz."""

    frames: Tensor
    ended: bool
    audio: Tensor


def load_state(folder: Path, device: torch.device) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """A folder's config.json and its weights in float32."""
    state = {name: tensor.float() for name, tensor in load_file(folder / "model.safetensors", str(device)).items()}
    return json.loads((folder / "config.json").read_text(encoding="utf-8")), state


def load_language_model(folder: Path, device: torch.device) -> Llama:
    """The language model, ready to speak."""
    config, state = load_state(folder, device)
    model = Llama(config).to(device).eval()
    model.load_state_dict(state)
    return model


def load_codec(folder: Path, device: torch.device) -> SNAC:
    """The codec, ready to decode."""
    config, state = load_state(folder, device)
    codec = SNAC(**config).to(device).eval()
    codec.load_state_dict(state)
    return codec


def draw(logits: Tensor, sampling: Sampling, seen: Tensor, generator: torch.Generator) -> Tensor:
    """Logits [B, V] and which of them were seen before [B, V] → one index a row [B]."""
    penalty = sampling.repetition_penalty
    logits = torch.where(seen, torch.where(logits > 0, logits / penalty, logits * penalty), logits)
    ordered, indices = (logits / sampling.temperature).sort(dim=-1, descending=True)
    if sampling.top_k:
        ordered[:, sampling.top_k :] = -torch.inf
    shares = ordered.softmax(-1)
    shares[shares.cumsum(-1) - shares >= sampling.top_p] = 0
    return indices.gather(1, torch.multinomial(shares, 1, generator=generator)).squeeze(1)


class Batch:
    """Texts of one prompt length, spoken in step; the caller groups them."""

    def __init__(self, model: Llama, prompts: Tensor, sampling: Sampling, generator: torch.Generator) -> None:
        self.model, self.sampling, self.generator = model, sampling, generator
        self.hidden, self.past = model(prompts)
        self.seen = torch.zeros(len(prompts), model.config["vocab_size"], dtype=torch.bool, device=prompts.device)
        self.seen.scatter_(1, prompts, True)

    def next_code(self, slot: int) -> tuple[Tensor, Tensor]:
        """Draw one code a row [B] of `slot`, and whether the row ends here instead [B]."""
        first = CODE_BASE_ID + slot * CODEBOOK_SIZE
        state = self.hidden[:, -1]
        logits, seen = (
            self.model.logits(state, first, first + CODEBOOK_SIZE),
            self.seen[:, first : first + CODEBOOK_SIZE],
        )
        if slot == 0:
            logits = torch.cat([logits, self.model.logits(state, END_OF_SPEECH, END_OF_SPEECH + 1)], dim=1)
            seen = torch.cat([seen, torch.zeros_like(seen[:, :1])], dim=1)
        code = draw(logits.float(), self.sampling, seen, self.generator)
        ended = code == CODEBOOK_SIZE
        code = code.clamp(max=CODEBOOK_SIZE - 1)
        ids = (first + code).unsqueeze(1)
        self.seen.scatter_(1, ids, True)
        self.hidden, self.past = self.model(ids, self.past)
        return code, ended


@torch.inference_mode()
def generate(
    model: Llama, prompt: list[int], rows: int, sampling: Sampling, seed: int, max_frames: int
) -> list[tuple[Tensor, bool]]:
    """Speak one prompt `rows` times: (frames [F, 7], ended) a row."""
    device = next(model.parameters()).device
    generator = torch.Generator(device).manual_seed(seed)
    batch = Batch(model, torch.tensor([prompt] * rows, device=device), sampling, generator)
    lengths = torch.full((rows,), max_frames, device=device)
    frames: list[Tensor] = []
    for number in range(max_frames):
        codes = []
        for slot in range(SLOTS):
            code, ended = batch.next_code(slot)
            codes.append(code)
            if slot == 0:
                lengths = torch.where(ended & (lengths == max_frames), number, lengths)
        if bool((lengths <= number).all()):
            break
        frames.append(torch.stack(codes, dim=1))
    spoken = torch.stack(frames, dim=1)
    return [(spoken[row, : int(lengths[row])], bool(lengths[row] < max_frames)) for row in range(rows)]


@torch.inference_mode()
def speak(model: Llama, codec: SNAC, voice: str, text: str, rows: int, sampling: Sampling, seed: int) -> list[Speech]:
    """Speak one text `rows` times."""
    generated = generate(model, prompt_ids(voice, [text]), rows, sampling, seed, max_frames=int(16 + 2.0 * len(text)))
    speeches = []
    for frames, ended in generated:
        audio = codec.decode(frames_to_levels(frames[None])).flatten() if len(frames) else torch.zeros(0)
        speeches.append(Speech(frames.cpu(), ended, audio.cpu()))
    return speeches
