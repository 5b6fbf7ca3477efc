"""The stateful decoder on a CUDA device: the same layers as audio_service.decoder, one kernel or two each."""

from typing import Any

import torch
from torch import Tensor

from audio_service.codec import VQ_STRIDES, Codec
from audio_service.fused.layers import (
    WIDEST_FUSED_CHANNELS,
    Build,
    Convolution,
    Ending,
    Latents,
    Layer,
    Noise,
    Step,
    Upsampling,
)
from audio_service.fused.plan import KEYS
from audio_service.fused.precision import Precision
from audio_service.fused.tiles import Tiling, standard
from audio_service.layout import Layout, Signal
from swara.errors import SetupError
from swara.frames import SLOTS


class FusedDecoder:
    """A codec's weights, arranged for the kernels. Holds no stream's state and, beyond the weights, no memory."""

    def __init__(
        self,
        codec: Codec,
        device: torch.device,
        precision: Precision = Precision.FP16X3,
        tiling: Tiling = standard,
        fast_sine: bool = False,
    ) -> None:
        self.device = device
        self.sample_rate_hz, self.codebook_size = codec.sample_rate_hz, codec.codebook_size
        modules = codec.modules.to(device)
        *layers, snake, conv, _tanh = modules.decoder.model
        if len(layers) < 2 or hasattr(layers[1], "block"):
            raise SetupError("the CUDA decoder needs a codec with depthwise convolutions")
        self.noise_layers = sum(len(layer.block) == 6 for layer in layers[2:])
        layout = Layout()
        build = Build(layout, precision, tiling, fast_sine)
        self.latents = Latents(modules.quantizer, Signal(VQ_STRIDES[0]), self.noise_layers, build)
        self.layers: list[Any] = [Convolution(layers[0], layers[1], None, self.latents.signal, build)]
        for index, block in enumerate(layers[2:]):
            self.layers += _block(block, index, self.layers[-1].signal, build)
        self.ending = Ending(snake, conv, self.layers[-1].signal, build)
        build.window(0, 1)
        self._floats = layout.floats
        signals: list[Any] = [self.latents, *self.layers]
        self.floats_per_frame = max(layer.signal.rate * layer.channels for layer in signals)

    @property
    def reach_samples(self) -> int:
        """How many samples at the end of the frames so far are not final yet."""
        return self.ending.signal.delay

    @property
    def warm_up_samples(self) -> int:
        """How many samples after a start in the middle of an utterance are not exact."""
        return self.ending.signal.warm_up

    @property
    def state_bytes(self) -> int:
        """What one stream's state takes: it is kept twice, as each step reads one copy and writes the other."""
        return 2 * 4 * self._floats

    @property
    def first_code_column(self) -> int:
        """Where a plan's codes begin."""
        return KEYS + self.noise_layers

    def plan_columns(self, frames: int) -> int:
        """P, the columns of the plan of a step of so many frames."""
        return self.first_code_column + frames * SLOTS

    def new_states(self, slots: int) -> Tensor:
        """Empty states [slots, S]."""
        return torch.zeros(slots, self._floats, device=self.device)

    def launch(self, step: Step, signals: tuple[Tensor, Tensor], audio: Tensor) -> None:
        """Starts the kernels of a step, which fill audio [B, F * 2048].

        Each of the two `signals` has room for `floats_per_frame` floats for each frame of each row.
        """
        x, y = signals
        self.latents(step, x)
        for layer in self.layers:
            layer(step, x, y)
            x, y = y, x
        self.ending(step, x, audio)


def _block(block: Any, index: int, signal: Signal, build: Build) -> list[Layer]:
    """The layers of one of the codec's upsampling blocks."""
    snake, conv, *rest = block.block
    noise = rest.pop(0) if len(rest) == 4 else None
    fused = noise if conv.out_channels <= WIDEST_FUSED_CHANNELS else None
    layers: list[Layer] = [Upsampling(snake, conv, fused, index, signal, build)]
    if noise is not None and fused is None:
        layers.append(Noise(noise, index, layers[-1].signal, build))
    for unit in rest:
        first, convolution, second, pointwise = unit.block
        layers.append(Convolution(convolution, pointwise, (first, second), layers[-1].signal, build))
    return layers
