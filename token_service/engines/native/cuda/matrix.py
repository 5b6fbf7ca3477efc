"""A matrix on the device, whole or quantised: one scale a row, taken from that row's largest weight."""

from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor


class Storage(Enum):
    """How weights are stored: as the activations' type, or in eight bits and a scale a row. Sums are float32."""

    WHOLE = "whole"
    FP8 = "fp8"
    INT8 = "int8"


# The largest number of each stored type, which the largest weight of a row becomes.
_LARGEST = {Storage.FP8: 448.0, Storage.INT8: 127.0}


@dataclass(frozen=True)
class Matrix:
    """`values` [N, K], and `scales` [N] float32 that its rows are multiplied by, where it is quantised."""

    values: Tensor
    scales: Tensor | None = None

    @property
    def rows(self) -> int:
        """N."""
        return self.values.shape[0]

    @property
    def columns(self) -> int:
        """K."""
        return self.values.shape[1]

    @property
    def nbytes(self) -> int:
        """What a product with few rows has to read."""
        return self.values.nbytes + (0 if self.scales is None else self.scales.nbytes)

    def whole(self) -> Tensor:
        """The matrix as float32."""
        values = self.values.float()
        return values if self.scales is None else values * self.scales[:, None]


def stored(weight: Tensor, storage: Storage, dtype: torch.dtype) -> Matrix:
    """A weight [N, K] as it will be read: as `dtype`, or quantised by rows."""
    if storage is Storage.WHOLE:
        return Matrix(weight.to(dtype).contiguous())
    scales = weight.float().abs().amax(1).clamp_min(1e-12) / _LARGEST[storage]
    values = weight.float() / scales[:, None]
    if storage is Storage.FP8:
        return Matrix(values.to(torch.float8_e4m3fn), scales)
    return Matrix(values.round_().to(torch.int8), scales)
