"""Train the language model for bounded seconds; the moving average with the lowest validation loss is exported."""

import json
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import AdamW
from torch.utils.data import DataLoader

from demo_model.batches import Batch, TrainingBatches, fixed_batches, with_noise
from demo_model.blueprint import CODE_BASE_ID, CODEBOOK_SIZE, END_OF_SPEECH, LANGUAGE_MODEL_CONFIG, SLOTS
from demo_model.codec import MovingAverage
from demo_model.corpus import Corpus
from demo_model.export import export_language_model
from demo_model.llama import Llama


@dataclass(frozen=True)
class Plan:
    """How long, how large, and how strongly regularised."""

    seconds: float
    batch_tokens: int = 49_152
    learning_rate: float = 2e-3
    final_learning_rate: float = 3e-5
    warmup_steps: int = 300
    weight_decay: float = 0.1
    dropout: float = 0.05
    noise: float = 0.06
    average_decay: float = 0.9985
    validation_steps: int = 400
    workers: int = 4
    seed: int = 0


def slot_losses(model: Llama, hidden: Tensor, batch: Batch) -> Tensor:
    """Hidden states [B, T, C] → mean negative log-likelihood per slot [7], over its codes (in slot 0, the end too)."""
    embeddings = model.embeddings.to(hidden.dtype)
    heads = embeddings[CODE_BASE_ID:].view(SLOTS, CODEBOOK_SIZE, -1)
    flat = hidden.flatten(0, 1)
    border = flat[torch.cat([batch.positions[:, 0], batch.ends])]
    choices = torch.cat([heads[0], embeddings[END_OF_SPEECH : END_OF_SPEECH + 1]])
    targets = torch.cat([batch.codes[:, 0], torch.full_like(batch.ends, CODEBOOK_SIZE)])
    losses = [F.cross_entropy(F.linear(border, choices).float(), targets)]
    for slot in range(1, SLOTS):
        logits = F.linear(flat[batch.positions[:, slot]], heads[slot])
        losses.append(F.cross_entropy(logits.float(), batch.codes[:, slot]))
    return torch.stack(losses)


def forward(model: Llama, batch: Batch, noise: float = 0.0) -> Tensor:
    """One batch → loss per slot [7], in bfloat16 where the device has it."""
    with torch.autocast(batch.ids.device.type, torch.bfloat16):
        hidden, _ = model(with_noise(batch.ids, noise))
        return slot_losses(model, hidden, batch)


@torch.no_grad()
def validate(model: Llama, batches: list[Batch]) -> list[float]:
    """Mean loss per slot over all frames of the batches."""
    model.eval()
    weights = torch.tensor([float(len(batch.codes)) for batch in batches])
    losses = torch.stack([forward(model, batch).cpu() for batch in batches])
    model.train()
    return [round(value, 4) for value in ((losses * weights[:, None]).sum(0) / weights.sum()).tolist()]


def optimizer_for(model: Llama, plan: Plan) -> AdamW:
    """Weight decay on matrices only."""
    matrices = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    vectors = [parameter for parameter in model.parameters() if parameter.ndim == 1]
    groups = [{"params": matrices, "weight_decay": plan.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return AdamW(groups, lr=plan.learning_rate, betas=(0.9, 0.95), fused=matrices[0].is_cuda)


def learning_rate(plan: Plan, elapsed: float, step: int) -> float:
    """Warm-up in steps, then a cosine over the seconds."""
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, elapsed / plan.seconds)))
    rate = plan.final_learning_rate + (plan.learning_rate - plan.final_learning_rate) * cosine
    return rate * min(1.0, (step + 1) / plan.warmup_steps)


class Training:
    """One run: the model, its optimizer and moving average, and the best validation so far."""

    def __init__(
        self, corpus: Corpus, validation: Corpus, plan: Plan, device: torch.device, start: Path | None = None
    ) -> None:
        """Begins with random weights, or with those of the exported folder `start`."""
        torch.manual_seed(plan.seed)
        torch.set_float32_matmul_precision("high")
        self.plan, self.device = plan, device
        self.model = Llama(LANGUAGE_MODEL_CONFIG, plan.dropout).to(device).train()
        if start:
            self.model.load_state_dict(load_file(start / "model.safetensors", device=str(device)))
        self.judged = Llama(LANGUAGE_MODEL_CONFIG).to(device)
        self.optimizer = optimizer_for(self.model, plan)
        self.average = MovingAverage(self.model, plan.average_decay)
        self.validation = [batch.to(device) for batch in fixed_batches(validation, plan.batch_tokens)]
        dataset = TrainingBatches(corpus, plan.batch_tokens, plan.seed)
        self.batches = DataLoader(dataset, batch_size=None, num_workers=plan.workers, pin_memory=device.type == "cuda")
        self.best = math.inf
        self.log: list[dict[str, Any]] = []

    def step(self, batch: Batch, step: int, elapsed: float) -> Tensor:
        """One optimizer step; returns the loss per slot [7]."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.plan, elapsed, step)
        losses = forward(self.model, batch.to(self.device), self.plan.noise)
        self.optimizer.zero_grad(set_to_none=True)
        losses.mean().backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.average.update(self.model, step)
        return losses.detach()

    def check(self, step: int, elapsed: float, losses: Tensor, folder: Path) -> None:
        """Validate the moving average; export it if it is the best so far."""
        self.judged.load_state_dict(self.average.state)
        slots = validate(self.judged, self.validation)
        mean = sum(slots) / SLOTS
        entry = {
            "step": step,
            "seconds": round(elapsed, 1),
            "loss": round(float(losses.mean()), 4),
            "validation": round(mean, 4),
            "slots": slots,
        }
        self.log.append(entry)
        print(json.dumps(entry), file=sys.stderr, flush=True)
        if mean < self.best:
            self.best = mean
            export_language_model(self.average.state, folder)

    def run(self, folder: Path) -> dict[str, Any]:
        """Train until the time is up."""
        began, step, tokens = time.monotonic(), 0, 0
        for batch in self.batches:
            elapsed = time.monotonic() - began
            losses = self.step(batch, step, elapsed)
            step, tokens = step + 1, tokens + batch.codes.numel()
            if step % self.plan.validation_steps == 0:
                self.check(step, elapsed, losses, folder)
            if elapsed > self.plan.seconds:
                break
        self.check(step, self.plan.seconds, losses, folder)
        return {"steps": step, "code_tokens": tokens, "best_validation": round(self.best, 4), "log": self.log}
