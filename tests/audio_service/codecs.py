"""Codecs to test with, and what they decode to as a whole: the reference of law 1."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audio_service.codec import Codec
from audio_service.decoder import Decoder
from audio_service.stream import Delays, Voicing
from benchmarks import whole
from swara.frames import Codes

DEMO_CODEC = Path(__file__).parents[2] / "demo_model" / "weights" / "codec"
CODECS = ("real shape", "demo codec")


def whole_decode(codec: Codec, codes: Codes, voicing: Voicing) -> NDArray[Any]:
    """The `snac` package's own decode of codes [F, 7] and keyed noise: audio [F * 2048], as precise as the codec."""
    precision = next(codec.modules.parameters()).detach().numpy().dtype
    return whole.whole_decode(codec.modules, codes, voicing.seed, voicing.noise).astype(precision)


def random_codes(frames: int, codebook_size: int, seed: int = 0) -> Codes:
    """Codes [F, 7]."""
    return np.random.default_rng(seed).integers(0, codebook_size, (frames, 7)).astype(np.uint16)


def delays(decoder: Decoder) -> Delays:
    """The delays of a decoder."""
    return Delays(decoder.reach_samples, decoder.warm_up_samples)
