"""Codecs to test with, and what they decode to as a whole: the reference of law 1."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from snac import SNAC
from snac.layers import NoiseBlock, Snake1d

from audio_service.codec import Codec
from audio_service.decoder import Decoder
from audio_service.noise import key, normals
from audio_service.stream import Delays, Noise, Voicing
from swara.frames import Codes, levels

DEMO_CODEC = Path(__file__).parents[2] / "demo_model" / "weights" / "codec"
REAL_SHAPE = {
    "sampling_rate": 24_000,
    "encoder_dim": 48,
    "encoder_rates": [2, 4, 8, 8],
    "decoder_dim": 1024,
    "decoder_rates": [8, 8, 4, 2],
    "attn_window_size": None,
    "codebook_size": 4096,
    "codebook_dim": 8,
    "vq_strides": [4, 2, 1],
    "noise": True,
    "depthwise": True,
}
CODECS = ("real shape", "demo codec")


def random_codec(**changes: Any) -> Codec:
    """A codec with random weights, loud enough and with snakes unlike one another."""
    torch.manual_seed(0)
    modules = SNAC(**REAL_SHAPE | changes).eval().requires_grad_(False)
    for module in modules.modules():
        if isinstance(module, Snake1d):
            module.alpha.uniform_(0.2, 3.0)
    return Codec(modules, "random", modules.sampling_rate, modules.codebook_size)


def whole_decode(codec: Codec, codes: Codes, voicing: Voicing) -> NDArray[np.float32]:
    """The `snac` package's own decode of codes [F, 7] with the keyed noise injected: audio [F * 2048]."""
    modules = copy.copy(codec.modules)
    blocks = [module for module in modules.modules() if isinstance(module, NoiseBlock)]
    try:
        for layer, block in enumerate(blocks):
            block.forward = keyed(block, key(voicing.seed, layer), voicing.noise)
        tensors = [torch.from_numpy(level.astype(np.int64))[None] for level in levels(codes)]
        with torch.inference_mode():
            return np.asarray(modules.decode(tensors)[0, 0])
    finally:
        for block in blocks:
            del block.forward


def keyed(block: Any, layer_key: int, noise: Noise) -> Callable[[torch.Tensor], torch.Tensor]:
    """A NoiseBlock's forward with noise that is keyed by position."""

    def forward(x: torch.Tensor) -> torch.Tensor:
        values = normals(torch.tensor(layer_key), torch.arange(x.shape[-1]))
        return x + noise.value * values * block.linear(x)

    return forward


def random_codes(frames: int, codebook_size: int, seed: int = 0) -> Codes:
    """Codes [F, 7]."""
    return np.random.default_rng(seed).integers(0, codebook_size, (frames, 7)).astype(np.uint16)


def delays(decoder: Decoder) -> Delays:
    """The delays of a decoder."""
    return Delays(decoder.reach_samples, decoder.warm_up_samples)
