"""The codec's noise as a pure function of (seed, layer, position).

Fresh `randn` would make every decode of the same codes different. Noise that belongs to the sample's place in the
utterance makes streaming, batched and restarted decodes equal. All mixing is on 64-bit integers, which every device
does alike; only the last step, Box-Muller in float32, rounds.
"""

import math

from torch import Tensor

_BITS = 2**64 - 1
_GAMMA = 0x9E3779B97F4A7C15
_MULTIPLY_1 = 0xBF58476D1CE4E5B9
_MULTIPLY_2 = 0x94D049BB133111EB
_UNIFORM_BITS = 24  # what a float32 holds exactly


def key(seed: int, layer: int) -> int:
    """The key of one noise layer under a request's seed, as a signed 64-bit integer."""
    return _signed(_mix((_mix(seed & _BITS) + layer) & _BITS))


def normals(keys: Tensor, positions: Tensor) -> Tensor:
    """Standard normals in float32; `keys` and `positions` are int64 and broadcast against each other."""
    bits = _mixed(keys + positions * _signed(_GAMMA))
    ones = 2**_UNIFORM_BITS - 1
    radius = _shifted(bits, 64 - _UNIFORM_BITS).float().add_(1).mul_(2.0**-_UNIFORM_BITS)
    angle = (bits & ones).float().mul_(2 * math.pi * 2.0**-_UNIFORM_BITS)
    return radius.log_().mul_(-2).sqrt_().mul_(angle.cos_())


def _mixed(z: Tensor) -> Tensor:
    """The splitmix64 output function on int64 tensors, whose products wrap like unsigned ones."""
    z = (z ^ _shifted(z, 30)).mul_(_signed(_MULTIPLY_1))
    z = (z ^ _shifted(z, 27)).mul_(_signed(_MULTIPLY_2))
    return z ^ _shifted(z, 31)


def _shifted(z: Tensor, by: int) -> Tensor:
    """Logical right shift; torch's own repeats the sign."""
    return (z >> by) & (_BITS >> by)


def _mix(z: int) -> int:
    z = (z + _GAMMA) & _BITS
    z = ((z ^ (z >> 30)) * _MULTIPLY_1) & _BITS
    z = ((z ^ (z >> 27)) * _MULTIPLY_2) & _BITS
    return z ^ (z >> 31)


def _signed(z: int) -> int:
    return z - 2**64 if z >= 2**63 else z
