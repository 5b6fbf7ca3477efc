"""The stateful decoder: each step takes the next frames of some streams and gives the samples that became final.

The work of a step depends on its number of rows and frames alone, never on how long a stream has been running.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from audio_service.codec import VQ_STRIDES, Codec
from audio_service.hops import HOPS_FRAMES
from audio_service.latents import Latents
from audio_service.layers import Entry, Exit, Pointwise, Residual, Upsampling
from audio_service.layout import Layout, Places, Signal
from audio_service.noise import normals


@dataclass(frozen=True)
class Block:
    """The next frames of B streams.

    `codes` [B, F, 7] int64; `first_frame` [B] int64, the index of the first of them; `end_frame` [B] int64, the length
    of the utterance, or more than that while it is still growing; `keys` [B, L] int64, one for each noise layer;
    `loudness` [B], 1 with noise, 0 without.
    """

    codes: Tensor
    first_frame: Tensor
    end_frame: Tensor
    keys: Tensor
    loudness: Tensor


class Decoder:
    """A codec's weights, arranged to be run step by step. Holds no stream's state."""

    def __init__(self, codec: Codec, device: torch.device) -> None:
        self.device = device
        self.sample_rate_hz, self.codebook_size = codec.sample_rate_hz, codec.codebook_size
        modules = codec.modules.to(device)
        self._latents = Latents(modules.quantizer)
        first, blocks, last = _parts(modules.decoder.model)
        self._layout = Layout()
        signal = Signal(VQ_STRIDES[0])
        self._masked, self._noisy = [signal], list[Signal]()
        self._entry = Entry(first[0], self._layout, signal)
        self._mix = Pointwise(first[1]) if len(first) > 1 else None
        self._masked.append(self._entry.signal)
        self._blocks = [self._block(block) for block in blocks]
        self._exit = Exit(*last, self._layout, self._masked[-1])
        places = {
            frames: (Places(self._masked, frames, device), Places(self._noisy, frames, device))
            for frames in HOPS_FRAMES
        }
        self._places = places

    @property
    def reach_samples(self) -> int:
        """How many samples at the end of the frames so far are not final yet."""
        return self._exit.signal.delay

    @property
    def warm_up_samples(self) -> int:
        """How many samples after a start in the middle of an utterance are not exact."""
        return self._exit.signal.warm_up

    @property
    def noise_layers(self) -> int:
        """How many layers add noise."""
        return len(self._noisy)

    @property
    def state_bytes(self) -> int:
        """What one stream's state takes."""
        return 4 * self._layout.floats

    def new_states(self, rows: int) -> Tensor:
        """States [rows, S] of streams that have not begun."""
        return torch.zeros(rows, self._layout.floats, device=self.device)

    @torch.inference_mode()
    def step(self, state: Tensor, block: Block) -> Tensor:
        """Decodes the block and moves the states [B, S] on, in place.

        Returns audio [B, F * 2048] in -1..1: the samples from first_frame * 2048 - reach on. Those before 0 and after
        the end mean nothing.
        """
        masks, noises = self._masks(block), self._noises(block)
        x = self._latents(block.codes).mul_(masks[0])
        x = self._entry(x, state)
        if self._mix is not None:
            x = self._mix(x)
        x.mul_(masks[1])
        mask = iter(masks[2:])
        for (upsampling, *units), noise in zip(self._blocks, noises, strict=True):
            x = upsampling(x, state, noise, next(mask))
            for unit in units:
                x = unit(x, state, next(mask))
        return self._exit(x, state)

    def _block(self, block: Any) -> tuple[Any, ...]:
        snake, conv, *rest = block.block
        noise = rest.pop(0) if len(rest) == 4 else None
        layer = Upsampling(snake, conv, noise, self._layout, self._masked[-1])
        self._masked.append(layer.signal)
        self._noisy.append(layer.signal)
        units = []
        for unit in rest:
            units.append(Residual(unit, self._layout, self._masked[-1]))
            self._masked.append(units[-1].signal)
        return layer, *units

    def _masks(self, block: Block) -> list[Tensor]:
        places = self._places[block.codes.shape[1]][0]
        positions = places.positions(block.first_frame)
        inside = (positions >= 0) & (positions < block.end_frame[:, None] * places.rates)
        return places.split(inside.float())

    def _noises(self, block: Block) -> list[Tensor]:
        places = self._places[block.codes.shape[1]][1]
        noise = normals(block.keys[:, places.signals], places.positions(block.first_frame))
        return places.split(noise.mul_(block.loudness[:, None]))


def _parts(model: Any) -> tuple[list[Any], list[Any], tuple[Any, Any]]:
    """The snac package's decoder as first convolutions, blocks, and the last snake and convolution."""
    *layers, snake, conv, _tanh = model
    first = [layer for layer in layers if not hasattr(layer, "block")]
    blocks = [layer for layer in layers if hasattr(layer, "block")]
    return first, blocks, (snake, conv)
