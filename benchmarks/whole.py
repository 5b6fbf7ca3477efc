"""The `snac` package's own decode on any device: the reference for errors, and the plain way for speeds."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from snac import SNAC
from snac.layers import NoiseBlock, Snake1d
from torch import Tensor

from audio_service.codec import Codec
from audio_service.noise import key, normals
from audio_service.stream import Noise
from swara.frames import LEVEL_SLOTS, Codes

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


def random_codec(**changes: Any) -> Codec:
    """A codec with random weights and snakes unlike one another, of hubertsiuzdak/snac_24khz's shape if not changed."""
    torch.manual_seed(0)
    modules = SNAC(**REAL_SHAPE | changes).eval().requires_grad_(False)
    for module in modules.modules():
        if isinstance(module, Snake1d):
            module.alpha.uniform_(0.2, 3.0)
    return Codec(modules, "random", modules.sampling_rate, modules.codebook_size)


def whole_decode(modules: Any, codes: Codes, seed: int, noise: Noise = Noise.SEEDED) -> NDArray[np.float64]:
    """One decode of codes [F, 7] with keyed noise or none, in the modules' own precision: audio [F * 2048]."""
    parameter = next(modules.decoder.parameters())
    modules = copy.copy(modules)
    blocks = [module for module in modules.modules() if isinstance(module, NoiseBlock)]
    try:
        for layer, block in enumerate(blocks):
            block.forward = _keyed(block, key(seed, layer), noise)
        tensor = torch.from_numpy(codes.astype(np.int64)).to(parameter.device)
        with torch.inference_mode():
            audio = modules.decode(levels(tensor[None]))[0, 0]
        return np.asarray(audio.double().cpu())
    finally:
        for block in blocks:
            del block.forward


def levels(codes: Tensor) -> list[Tensor]:
    """Codes [B, F, 7] as the codec's three levels [B, F], [B, 2 F], [B, 4 F]."""
    return [torch.stack([codes[:, :, slot] for slot in slots], 2).flatten(1) for slots in LEVEL_SLOTS]


def _keyed(block: Any, layer_key: int, noise: Noise) -> Callable[[Tensor], Tensor]:
    """A NoiseBlock's forward with noise that is keyed by position."""

    def forward(x: Tensor) -> Tensor:
        values = normals(torch.tensor(layer_key, device=x.device), torch.arange(x.shape[-1], device=x.device))
        noisy: Tensor = x + noise.value * values.to(x.dtype) * block.linear(x)
        return noisy

    return forward
