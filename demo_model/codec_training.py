"""Train the whole codec on mel distance for bounded seconds: the first of its two stages. The second,
`decoder_training`, leaves encoder and codebooks as they are, so codes made after this stage stay valid."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from snac import SNAC
from torch import Tensor, nn
from torch.optim import AdamW

from demo_model.blueprint import CODEBOOK_SIZE, SAMPLE_RATE_HZ
from demo_model.codec import CodebookUse, MovingAverage, build_codec, quantise
from demo_model.decoder_training import report
from demo_model.export import export_codec
from demo_model.heldout import split
from demo_model.losses import MelLoss
from demo_model.recordings import Recording, load_recordings


@dataclass(frozen=True)
class Plan:
    """How long and how large."""

    seconds: float
    batch: int = 32
    crop_samples: int = 24_576
    learning_rate: float = 8e-4
    final_learning_rate: float = 2e-5
    report_steps: int = 200


class Crops:
    """Random crops of the training recordings, all of which lie in the device's memory."""

    def __init__(self, samples: Any, rows: list[Recording], device: torch.device) -> None:
        pieces = [samples[row.start : row.start + row.length] for row in rows]
        self.flat = torch.from_numpy(np.concatenate(pieces)).to(device)

    def draw(self, batch: int, length: int) -> Tensor:
        """Audio [B, T] at a random gain between -6 and +2 dB."""
        device = self.flat.device
        starts = torch.randint(len(self.flat) - length, (batch, 1), device=device)
        crops = self.flat[starts + torch.arange(length, device=device)].float() / 32_768
        return (crops * torch.empty(batch, 1, device=device).uniform_(0.5, 1.25)).clamp(-0.99, 0.99)


def schedule(optimizer: torch.optim.Optimizer, plan: Plan, elapsed: float, step: int) -> float:
    """Short warm-up, then a cosine over the seconds; returns the rate set."""
    share = min(1.0, elapsed / plan.seconds)
    cosine = 0.5 * (1 + math.cos(math.pi * share))
    rate = (plan.final_learning_rate + (plan.learning_rate - plan.final_learning_rate) * cosine) * min(
        1.0, (step + 1) / 200
    )
    for group in optimizer.param_groups:
        group["lr"] = rate
    return rate


def clock(plan: Plan) -> Iterator[tuple[int, float]]:
    """(step, elapsed seconds) until the plan's time is up."""
    began, step = time.monotonic(), 0
    while (elapsed := time.monotonic() - began) < plan.seconds:
        yield step, elapsed
        step += 1


def train_autoencoder(crops: Crops, check: Crops, plan: Plan, codec: SNAC, folder: Path) -> dict[str, Any]:
    """Stage one: encoder, codebooks and decoder on the mel distance."""
    device = crops.flat.device
    mel, use = MelLoss(SAMPLE_RATE_HZ).to(device), CodebookUse(3, CODEBOOK_SIZE)
    optimizer = AdamW(codec.parameters(), lr=plan.learning_rate, betas=(0.8, 0.99), weight_decay=1e-3)
    average = MovingAverage(codec, 0.999)
    figures: dict[str, Any] = {}
    for step, elapsed in clock(plan):
        rate = schedule(optimizer, plan, elapsed, step)
        audio = crops.draw(plan.batch, plan.crop_samples)
        quantised = quantise(codec, codec.encoder(audio.unsqueeze(1)))
        distance = mel(codec.decoder(quantised.latents).squeeze(1), audio)
        optimizer.zero_grad(set_to_none=True)
        (distance + quantised.loss).backward()
        nn.utils.clip_grad_norm_(codec.parameters(), 5.0)
        optimizer.step()
        average.update(codec, step)
        use.observe(quantised.codes)
        if step % 25 == 0 and elapsed < 0.7 * plan.seconds:
            use.revive(codec, quantised.projected)
        if step % plan.report_steps == 0:
            figures = {
                "step": step,
                "seconds": round(elapsed, 1),
                "rate": rate,
                "mel": distance.item(),
                "codebook": quantised.loss.item(),
            }
            report(stage="autoencoder", **figures, perplexities=use.perplexities())
    codec.load_state_dict(average.state)
    export_codec(average.state, folder)
    return figures | {"perplexities": use.perplexities(), "validation_mel": validate(codec, check, mel)}


@torch.no_grad()
def validate(codec: SNAC, check: Crops, mel: MelLoss) -> float:
    """Mel distance on crops of recordings kept out of training."""
    generator_state = torch.get_rng_state()
    torch.manual_seed(0)
    audio = check.draw(64, 24_576)
    torch.set_rng_state(generator_state)
    latents = quantise(codec, codec.encoder(audio.unsqueeze(1))).latents
    return float(mel(codec.decoder(latents).squeeze(1), audio))


def load_crops(work: Path, device: torch.device) -> tuple[Crops, Crops]:
    """Training and validation crops."""
    samples, rows = load_recordings(work)
    training, validation, _ = split(rows)
    return Crops(samples, training, device), Crops(samples, validation, device)


def prepare(work: Path, device: torch.device) -> tuple[Crops, Crops, SNAC]:
    """Data and a codec on the device, with TF32 allowed for training."""
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    crops, check = load_crops(work, device)
    return crops, check, build_codec().to(device)
