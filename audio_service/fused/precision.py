"""How exactly the products are computed, and weights prepared for it."""

import math
from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor

TF32_BITS = -8192  # those of a float32 that a tensor core looks at
_TOP = 8  # half-precision weights are scaled until the largest lies below 2^_TOP, far from the numbers half loses


class Precision(Enum):
    """What the tensor cores multiply: numbers of this type, `terms` products of them for one of float32 numbers.

    Three terms come near float32: a number is the sum of two of 11 bits, and one product in four is left out.
    """

    FP16X3 = (torch.float16, 3)
    TF32X3 = (torch.float32, 3)
    TF32 = (torch.float32, 1)
    BF16 = (torch.bfloat16, 1)

    def __init__(self, dtype: torch.dtype, terms: int) -> None:
        self.dtype, self.terms = dtype, terms


@dataclass(frozen=True)
class Matrix:
    """A matrix (high + low) * scale, [N, K]."""

    high: Tensor
    low: Tensor
    scale: float


def prepared(matrix: Tensor, precision: Precision) -> Matrix:
    """A float32 matrix as two that the tensor cores hold exactly; their sum is the matrix to 2^-21 or better."""
    if precision.dtype == torch.float32:
        high = (matrix.contiguous().view(torch.int32) & TF32_BITS).view(torch.float32)
        return Matrix(high, matrix - high, 1.0)
    _, exponent = math.frexp(float(matrix.abs().max()))
    scaled = matrix * 2.0 ** (_TOP - exponent)
    high = scaled.to(precision.dtype)
    low = (scaled - high.float()).to(precision.dtype)
    return Matrix(high.contiguous(), low.contiguous(), 2.0 ** (exponent - _TOP))
