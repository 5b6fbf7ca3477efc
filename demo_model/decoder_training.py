"""Train the codec's decoder alone for bounded seconds. Encoder and codebooks stay as they are, so codes, and the
language model that speaks them, stay valid. A run goes on from its checkpoint exactly where the last one stopped."""

import copy
import json
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from demo_model import checkpoint
from demo_model.aligned import Aligned
from demo_model.export import export_codec
from demo_model.game import LOSSES, Game
from demo_model.kernel_times import kernel_times
from demo_model.replay import Replay

Way = Literal["plain", "graph"]
WAYS: tuple[Way, ...] = get_args(Way)


@dataclass(frozen=True)
class Plan:
    """How long and how fast. The rate climbs for `warmup_steps`, holds, and falls to nothing in the last
    `landing_seconds` of the run, which only the last run before an export should have."""

    seconds: float
    landing_seconds: float = 0.0
    learning_rate: float = 4e-4
    warmup_steps: int = 500
    report_steps: int = 100
    check_seconds: float = 60.0
    save_seconds: float = 120.0
    check_crops: int = 64
    check_frames: int = 16
    way: Way = "plain"

    def rate(self, step: int, seconds_left: float) -> float:
        """The learning rate of one step."""
        rate = self.learning_rate * min(1.0, (step + 1) / self.warmup_steps)
        return rate * min(1.0, max(0.0, seconds_left) / self.landing_seconds) if self.landing_seconds else rate


def report(**figures: Any) -> None:
    """One line of JSON to the log."""
    print(json.dumps(figures), file=sys.stderr, flush=True)


def unfused() -> AbstractContextManager[Any]:
    """SNAC's scripted snake without TorchScript's own run-time compiler, which no CUDA graph may meet."""
    context: AbstractContextManager[Any] = torch.jit.fuser("none")
    return context


def stepper(game: Game, data: Aligned, way: Way) -> Callable[[], Tensor]:
    """One training step, run in the way asked for."""
    return Replay(lambda: game.turn(data)) if way == "graph" else lambda: game.turn(data)


class DecoderTraining:
    """One run: the game, what it is checked on, and how far it is."""

    def __init__(self, game: Game, data: Aligned, check: Aligned, plan: Plan) -> None:
        self.game, self.data, self.plan = game, data, plan
        generator = torch.Generator(check.frames.device).manual_seed(0)
        self.check_codes, self.check_audio = check.draw(plan.check_crops, plan.check_frames, generator)
        self.judged = copy.deepcopy(game.codec).eval()
        self.step = 0
        self._told_to_end = False

    def end(self) -> None:
        """Let the run stop after the step it is in, and save and export as at its time's end."""
        self._told_to_end = True

    def state(self) -> dict[str, Any]:
        """Everything a later run needs to go on as if this one had not stopped."""
        game, device = self.game, self.data.frames.device
        random = torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()
        return {
            "step": self.step,
            "random": random,
            "average": game.average,
            "learner": game.learner.state_dict(),
            "discriminators": game.discriminators.state_dict(),
            "learner_optimizer": game.learner_optimizer.state_dict(),
            "discriminator_optimizer": game.discriminator_optimizer.state_dict(),
        }

    def meet(self, state: dict[str, Any]) -> None:
        """Take the discriminators of another run's `state`: they know already what the true audio sounds like."""
        self.game.discriminators.load_state_dict(state["discriminators"])
        self.game.discriminator_optimizer.load_state_dict(state["discriminator_optimizer"])

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state`. To be called before the first step is recorded."""
        game, device = self.game, self.data.frames.device
        self.step = state["step"]
        torch._foreach_copy_(game.average, state["average"])
        game.learner.load_state_dict(state["learner"])
        game.learner_optimizer.load_state_dict(state["learner_optimizer"])
        self.meet(state)
        if device.type == "cuda":
            torch.cuda.set_rng_state(state["random"].cpu(), device)
        else:
            torch.set_rng_state(state["random"].cpu())

    def distance(self) -> float:
        """Mel distance of the averaged codec on crops of recordings kept out of training."""
        self.judged.load_state_dict(self.game.averaged())
        made = self.game.repeat(self.judged, self.check_codes, self.check_audio)
        return round(float(self.game.mel(made, self.game.judged(self.check_audio))), 4)

    def run(self, folder: Path, saved: Path) -> dict[str, Any]:
        """Train until the time is up; the averaged codec goes to `folder`, the checkpoint to `saved`."""
        self.game.set_rate(self.plan.rate(self.step, self.plan.seconds))
        with unfused():
            step, began = stepper(self.game, self.data, self.plan.way), time.monotonic()
            report(step=self.step, mel_heldout=self.distance())
            figures = self._loop(step, began, folder, saved)
        export_codec(self.game.averaged(), folder)
        return figures | {"checkpoint_bytes": checkpoint.save(self.state(), saved), "mel_heldout": self.distance()}

    def _loop(self, step: Callable[[], Tensor], began: float, folder: Path, saved: Path) -> dict[str, Any]:
        figures: dict[str, Any] = {}
        first, checked, kept = self.step, 0.0, 0.0
        while (elapsed := time.monotonic() - began) < self.plan.seconds and not self._told_to_end:
            self.game.set_rate(self.plan.rate(self.step, self.plan.seconds - elapsed))
            losses = step()
            self.step += 1
            if self.step % self.plan.report_steps == 0:
                figures = self._figures(losses, self.step - first, began)
                report(**figures)
            if elapsed - checked > self.plan.check_seconds:
                checked = elapsed
                report(step=self.step, mel_heldout=self.distance())
                export_codec(self.game.averaged(), folder)
            if elapsed - kept > self.plan.save_seconds:
                kept = elapsed
                checkpoint.save(self.state(), saved)
        return figures | {"step": self.step}

    def _figures(self, losses: Tensor, steps: int, began: float) -> dict[str, Any]:
        """Reading the losses waits for the device; nothing else in the loop does."""
        values = [round(value, 4) for value in losses.tolist()]
        elapsed = time.monotonic() - began
        speed = {"seconds": round(elapsed, 1), "steps_per_second": round(steps / elapsed, 2)}
        return {"step": self.step} | speed | dict(zip(LOSSES, values, strict=True))


def measure(make: Callable[[], Game], data: Aligned, way: Way, steps: int) -> dict[str, Any]:
    """Steps a second in one way, after those that warm up, the memory taken, and on a GPU what the time goes to."""
    with unfused():
        began = time.monotonic()
        step = stepper(make(), data, way)
        for _ in range(5):
            step()
        float(step()[0])
        ready = time.monotonic()
        for _ in range(steps):
            losses = step()
        values = losses.tolist()
        seconds = (time.monotonic() - ready) / steps
        spent = kernel_times(step) if data.frames.is_cuda else {}
    gigabytes = torch.cuda.max_memory_allocated() / 1e9 if data.frames.is_cuda else 0.0
    return {
        "way": way,
        "setup_seconds": round(ready - began, 1),
        "steps_per_second": round(1 / seconds, 2),
        "gigabytes": round(gigabytes, 1),
        "losses": [round(value, 3) for value in values],
    } | spent
