"""Train the codec in two stages, each bounded in seconds: the whole autoencoder on mel distance, then the decoder alone
against discriminators. The encoder and codebooks are frozen after the first stage, so codes made from it stay valid."""

import copy
import json
import math
import sys
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
from demo_model.discriminators import Discriminators
from demo_model.export import export_codec
from demo_model.heldout import split
from demo_model.losses import MelLoss, adversarial_loss, discriminator_loss, feature_loss
from demo_model.recordings import Recording, load_recordings

MEL_WEIGHT, ADVERSARIAL_WEIGHT, FEATURE_WEIGHT = 10.0, 4.0, 20.0


@dataclass(frozen=True)
class Plan:
    """How long and how large."""

    seconds: float
    batch: int = 32
    crop_samples: int = 24_576
    learning_rate: float = 8e-4
    final_learning_rate: float = 2e-5
    report_steps: int = 200
    save_seconds: float = 60.0


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


def report(**figures: Any) -> None:
    """One line of JSON to the log."""
    print(json.dumps(figures), file=sys.stderr, flush=True)


def train_autoencoder(crops: Crops, check: Crops, plan: Plan, codec: SNAC, saved: Path) -> dict[str, Any]:
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
    torch.save(average.state, saved)
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


@dataclass
class Game:
    """The decoder and its discriminators, each with an optimizer."""

    codec: SNAC
    discriminators: Discriminators
    decoder_optimizer: AdamW
    discriminator_optimizer: AdamW
    mel: MelLoss

    def judge(self, audio: Tensor) -> list[list[Tensor]]:
        """Audio [B, T] → features, in bfloat16 where the device has it."""
        with torch.autocast(audio.device.type, torch.bfloat16):
            features: list[list[Tensor]] = self.discriminators(audio)
        return features

    def step(self, audio: Tensor) -> dict[str, Tensor]:
        """One turn of the discriminators and one of the decoder on a batch [B, T]."""
        with torch.no_grad():
            latents = quantise(self.codec, self.codec.encoder(audio.unsqueeze(1))).latents
        made = self.codec.decoder(latents).squeeze(1)
        verdict = discriminator_loss(self.judge(audio), self.judge(made.detach()))
        self.discriminator_optimizer.zero_grad(set_to_none=True)
        verdict.backward()
        nn.utils.clip_grad_norm_(self.discriminators.parameters(), 10.0)
        self.discriminator_optimizer.step()
        return {"discriminator": verdict.detach()} | self._decoder_turn(audio, made)

    def _decoder_turn(self, audio: Tensor, made: Tensor) -> dict[str, Tensor]:
        self.discriminators.requires_grad_(False)
        with torch.no_grad():
            true_features = self.judge(audio)
        made_features = self.judge(made)
        losses = {
            "mel": self.mel(made, audio),
            "adversarial": adversarial_loss(made_features),
            "feature": feature_loss(true_features, made_features),
        }
        total = (
            MEL_WEIGHT * losses["mel"] + ADVERSARIAL_WEIGHT * losses["adversarial"] + FEATURE_WEIGHT * losses["feature"]
        )
        self.decoder_optimizer.zero_grad(set_to_none=True)
        total.backward()
        nn.utils.clip_grad_norm_(self.codec.decoder.parameters(), 50.0)
        self.decoder_optimizer.step()
        self.discriminators.requires_grad_(True)
        return {name: loss.detach() for name, loss in losses.items()}


def new_game(codec: SNAC, device: torch.device, rate: float) -> Game:
    """Encoder and codebooks frozen, fresh discriminators."""
    codec.requires_grad_(False)
    codec.decoder.requires_grad_(True)
    discriminators = Discriminators().to(device)
    betas = (0.8, 0.99)
    return Game(
        codec,
        discriminators,
        AdamW(codec.decoder.parameters(), lr=rate, betas=betas, weight_decay=1e-3),
        AdamW(discriminators.parameters(), lr=rate, betas=betas, weight_decay=1e-3),
        MelLoss(SAMPLE_RATE_HZ).to(device),
    )


def train_decoder(crops: Crops, check: Crops, plan: Plan, codec: SNAC, folder: Path) -> dict[str, Any]:
    """Stage two: the decoder alone, adversarially; the averaged decoder is exported every `save_seconds`."""
    game = new_game(codec, crops.flat.device, plan.learning_rate)
    average, shadow = MovingAverage(codec, 0.999), copy.deepcopy(codec)
    figures: dict[str, Any] = {}
    saved = 0.0
    for step, elapsed in clock(plan):
        schedule(game.decoder_optimizer, plan, elapsed, step)
        schedule(game.discriminator_optimizer, plan, elapsed, step)
        losses = game.step(crops.draw(plan.batch, plan.crop_samples))
        average.update(codec, step)
        if step % plan.report_steps == 0:
            figures = {"step": step, "seconds": round(elapsed, 1)} | {
                name: round(float(loss), 4) for name, loss in losses.items()
            }
            report(stage="decoder", **figures)
        if elapsed - saved > plan.save_seconds:
            saved = elapsed
            export_codec(average.state, folder)
    export_codec(average.state, folder)
    shadow.load_state_dict(average.state)
    return figures | {"validation_mel": validate(shadow, check, game.mel)}


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
