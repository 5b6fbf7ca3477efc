"""The codec's noise as a pure function of (seed, layer, position).

Fresh `randn` would make every decode of the same codes different. Noise that belongs to the sample's place in the
utterance makes streaming, batched and restarted decodes equal.
"""

from torch import Tensor

from swara import keyed


def key(seed: int, layer: int) -> int:
    """The key of one noise layer under a request's seed, as a signed 64-bit integer."""
    return keyed.signed(keyed.mix_int((keyed.mix_int(seed) + layer) % 2**64))


def normals(keys: Tensor, positions: Tensor) -> Tensor:
    """Standard normals in float32; `keys` and `positions` are int64 and broadcast against each other."""
    return keyed.normal(keyed.mix(keys, positions))
