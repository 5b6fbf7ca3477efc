"""Randomness that is a pure function of its key: the same on every device, in every batch, after every restart.

Integer hashing in wrapping 64-bit arithmetic (splitmix64), so that CPU and GPU agree bit for bit; only the last step to
a float rounds.
"""

import math

import torch
from torch import Tensor

_BITS = 2**64 - 1
_GAMMA = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB
_UNIFORM_BITS = 24  # what a float32 holds exactly


def signed(value: int) -> int:
    """A number 0..2^64-1 as the int64 with the same bits."""
    return value - 2**64 if value >= 2**63 else value


def mix_int(value: int) -> int:
    """splitmix64's next output after the state `value`, 0..2^64-1."""
    z = (value + _GAMMA) & _BITS
    z = ((z ^ (z >> 30)) * _FIRST) & _BITS
    z = ((z ^ (z >> 27)) * _SECOND) & _BITS
    return z ^ (z >> 31)


def mix(key: Tensor, counter: Tensor) -> Tensor:
    """Output number `counter` of splitmix64 seeded with `key`; int64 tensors that broadcast, int64 bits."""
    z = key + counter * signed(_GAMMA)
    z = (z ^ _shifted(z, 30)).mul_(signed(_FIRST))
    z = (z ^ _shifted(z, 27)).mul_(signed(_SECOND))
    return z ^ _shifted(z, 31)


def gumbel(bits: Tensor) -> Tensor:
    """Hashed bits as standard Gumbel noise, float32: adding it to logits and taking the argmax is a draw."""
    # One bit less than a float32 holds, so that the half is exact: never 0 or 1, and both logarithms are finite.
    uniform = (_shifted(bits, 65 - _UNIFORM_BITS).float() + 0.5) * 2.0 ** (1 - _UNIFORM_BITS)
    return -torch.log(-torch.log(uniform))


def normal(bits: Tensor) -> Tensor:
    """Hashed bits as standard normals, float32, by Box-Muller from their upper and lower 24 bits."""
    ones = 2**_UNIFORM_BITS - 1
    radius = _shifted(bits, 64 - _UNIFORM_BITS).float().add_(1).mul_(2.0**-_UNIFORM_BITS)
    angle = (bits & ones).float().mul_(2 * math.pi * 2.0**-_UNIFORM_BITS)
    return radius.log_().mul_(-2).sqrt_().mul_(angle.cos_())


def _shifted(z: Tensor, by: int) -> Tensor:
    """Logical right shift; torch's own repeats the sign."""
    return (z >> by) & (_BITS >> by)
