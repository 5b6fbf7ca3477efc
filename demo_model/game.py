"""The decoder against its discriminators: one turn of both, written so that a CUDA graph can hold all of it."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from snac import SNAC
from torch import Tensor, nn
from torch.optim import AdamW

from demo_model.aligned import Aligned
from demo_model.blueprint import SAMPLE_RATE_HZ, SAMPLES_PER_FRAME
from demo_model.discriminators import Discriminators
from demo_model.frames import frames_to_levels
from demo_model.losses import Features, MelLoss, adversarial_loss, discriminator_loss, feature_loss

MEL_WEIGHT, ADVERSARIAL_WEIGHT, FEATURE_WEIGHT = 10.0, 4.0, 20.0
BETAS = (0.8, 0.99)
WEIGHT_DECAY = 1e-3
MAX_LEARNER_NORM, MAX_DISCRIMINATOR_NORM = 1_000.0, 10.0
"""Against single bad batches: one crop's gradient is 20 to 700 long, and a step cut short gives its features no say."""
LOSSES = ("discriminator", "mel", "adversarial", "feature")


@dataclass(frozen=True)
class Shape:
    """What one turn looks at: `crops` windows, each of `frames` frames that count between two times `context` frames
    that are decoded only so that no judged sample lies beside an edge.

    One frame of context leaves an error of 0.7 % at the judged edge, two 0.01 %; the decoder's whole reach is 2.33."""

    crops: int = 24
    frames: int = 8
    context: int = 1
    average_decay: float = 0.999


class Game:
    """Learner and discriminators, an optimizer each, and the learner's moving average; all else is frozen.

    Here the learner is the codec's decoder; `codec_game` has the other."""

    LEARNER = "decoder."
    """What the names of the learner's parameters begin with in the codec's state."""

    def __init__(self, codec: SNAC, shape: Shape, learning_rate: float) -> None:
        device = next(codec.parameters()).device
        self.codec, self.shape = codec.requires_grad_(False), shape
        if device.type == "cuda":
            from demo_model.fused_snake import fuse_snakes

            fuse_snakes(codec)
        self.learner = self.learner_of(codec).requires_grad_(True).train()
        self.discriminators = Discriminators().to(device)
        self.mel = MelLoss(SAMPLE_RATE_HZ).to(device)
        self.learner_optimizer = optimizer(self.learner.parameters(), learning_rate, device)
        self.discriminator_optimizer = optimizer(self.discriminators.parameters(), learning_rate, device)
        self.average = [parameter.detach().clone() for parameter in self.learner.parameters()]

    def learner_of(self, codec: SNAC) -> nn.Module:
        """The part of the codec that moves."""
        decoder: nn.Module = codec.decoder
        return decoder

    def set_rate(self, rate: float) -> None:
        """Write the learning rate where the optimizers, captured or not, read it; nothing waits for the device."""
        for one in (self.learner_optimizer, self.discriminator_optimizer):
            for group in one.param_groups:
                group["lr"].fill_(rate)

    def turn(self, data: Aligned) -> Tensor:
        """Draw a batch, move the discriminators, move the learner and its average; returns LOSSES [4]."""
        codes, heard = data.draw(self.shape.crops, self.shape.frames + 2 * self.shape.context)
        losses = self.teach(codes, heard)
        move(self.discriminator_optimizer, self.discriminators, MAX_DISCRIMINATOR_NORM)
        move(self.learner_optimizer, self.learner, MAX_LEARNER_NORM)
        torch._foreach_lerp_(self.average, list(self.learner.parameters()), 1 - self.shape.average_decay)
        return losses

    def teach(self, codes: Tensor, heard: Tensor) -> Tensor:
        """Codes [B, frames, 7] and their audio → LOSSES [4], and gradients in learner and discriminators."""
        return self.compare(self.judged(heard), self.speak(codes))

    @torch.no_grad()
    def repeat(self, codec: SNAC, codes: Tensor, heard: Tensor) -> Tensor:
        """What `codec` makes of codes or their audio [B, T]: the audio that counts."""
        return self.judged(codec.decode(frames_to_levels(codes)).squeeze(1))

    def judged(self, audio: Tensor) -> Tensor:
        """The part of windows [B, T] that counts."""
        edge = self.shape.context * SAMPLES_PER_FRAME
        return audio[:, edge : audio.shape[1] - edge]

    def speak(self, codes: Tensor) -> Tensor:
        """Codes [B, frames, 7] → the audio that counts [B, T]."""
        with torch.no_grad():
            latents = self.codec.quantizer.from_codes(frames_to_levels(codes))
        return self.judged(self.codec.decoder(latents).squeeze(1))

    def judge(self, audio: Tensor) -> Features:
        """Audio [B, T] → features, on a GPU in bfloat16: they are compared, not played."""
        with torch.autocast(audio.device.type, torch.bfloat16, enabled=audio.is_cuda, cache_enabled=False):
            features: Features = self.discriminators(audio)
        return features

    def compare(self, audio: Tensor, made: Tensor, other_loss: Tensor | float = 0.0) -> Tensor:
        """True and made audio [B, T] → LOSSES [4]; leaves in either side's parameters its gradients. `other_loss` is
        one more that the learner pays.

        Neither has moved yet, so the true audio's features serve both, and it is judged once."""
        true_features, doubted = halves(self.judge(torch.cat([audio, made.detach()])))
        verdict = discriminator_loss(true_features, doubted)
        verdict.backward()
        self.discriminators.requires_grad_(False)
        made_features = self.judge(made)
        self.discriminators.requires_grad_(True)
        mel, feature = self.mel(made, audio), feature_loss(true_features, made_features)
        adversarial = adversarial_loss(made_features)
        total = MEL_WEIGHT * mel + ADVERSARIAL_WEIGHT * adversarial + FEATURE_WEIGHT * feature + other_loss
        total.backward()
        return torch.stack([verdict, mel, adversarial, feature]).detach()

    def averaged(self) -> dict[str, Tensor]:
        """The codec's state with the averaged learner: what is exported."""
        state = dict(self.codec.state_dict())
        names = (self.LEARNER + name for name, _ in self.learner.named_parameters())
        return state | dict(zip(names, self.average, strict=True))


def halves(features: Features) -> tuple[Features, Features]:
    """The features of the first and of the second half of a batch."""
    pairs = [[feature.chunk(2) for feature in one] for one in features]
    return [[first for first, _ in one] for one in pairs], [[second for _, second in one] for one in pairs]


def optimizer(parameters: Iterable[nn.Parameter], rate: float, device: torch.device) -> AdamW:
    """AdamW in one kernel, its rate a tensor so that a captured step follows a schedule."""
    start = torch.tensor(rate, device=device)
    on_gpu = device.type == "cuda"
    return AdamW(parameters, lr=start, betas=BETAS, weight_decay=WEIGHT_DECAY, fused=True, capturable=on_gpu)


def move(one: AdamW, module: nn.Module, max_norm: float) -> None:
    """One optimizer step on the gradients that lie in the module; none stay."""
    nn.utils.clip_grad_norm_(module.parameters(), max_norm)
    one.step()
    one.zero_grad(set_to_none=True)
