"""Randomness that is a pure function of its key: the same on every device, in every batch, after every restart.

Integer hashing in wrapping 64-bit arithmetic (splitmix64's finalizer), so that CPU and GPU agree bit for bit.
"""

import torch
from torch import Tensor

_GOLDEN = 0x9E3779B97F4A7C15 - 2**64
_FIRST = 0xBF58476D1CE4E5B9 - 2**64
_SECOND = 0x94D049BB133111EB - 2**64


def signed(seed: int) -> int:
    """A seed 0..2^64-1 as the int64 with the same bits."""
    return seed - 2**64 if seed >= 2**63 else seed


def mix(key: Tensor, counter: Tensor) -> Tensor:
    """Hashes int64 `key` with int64 `counter` (they broadcast) into 64 well-mixed bits, as int64."""
    z = key + (counter + 1) * _GOLDEN
    z = (z ^ _shifted(z, 30)) * _FIRST
    z = (z ^ _shifted(z, 27)) * _SECOND
    return z ^ _shifted(z, 31)


def uniform(bits: Tensor) -> Tensor:
    """Hashed int64 bits as float32 in (0, 1), from their top 24 bits, never 0 or 1."""
    return (_shifted(bits, 40).to(torch.float32) + 0.5) * 2.0**-24


def gumbel(bits: Tensor) -> Tensor:
    """Hashed int64 bits as standard Gumbel noise, float32: adding it to logits and taking the argmax is a draw."""
    return -torch.log(-torch.log(uniform(bits)))


def _shifted(z: Tensor, bits: int) -> Tensor:
    """A logical right shift of int64."""
    return (z >> bits) & ((1 << (64 - bits)) - 1)
