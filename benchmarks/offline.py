"""Orpheus' kernels compiled without a device: tensors that have a shape and nothing in it, and a target named outright.

What is compiled so lies in Triton's cache, where a process that has the device finds it.
"""

from typing import Any

import torch
from triton.backends.compiler import GPUTarget
from triton.runtime import driver

from benchmarks.orpheus import PROFILE, Parts, fewer_layers
from token_service.engines.native.cuda import memory as memory_module
from token_service.engines.native.cuda.layout import PAGE_TOKENS
from token_service.engines.native.cuda.matrix import Matrix, Storage
from token_service.engines.native.cuda.memory import Memory
from token_service.engines.native.cuda.plain import PlainKernels
from token_service.engines.native.cuda.step import LayerMatrices, Model
from token_service.engines.native.weights import LlamaShape

META = torch.device("meta")
LOGITS = 4160
_TYPES = {Storage.WHOLE: torch.bfloat16, Storage.FP8: torch.float8_e4m3fn, Storage.INT8: torch.int8}


class Target:
    """What Triton asks a driver when it only compiles."""

    def __init__(self, target: GPUTarget) -> None:
        self._target = target

    def get_current_device(self) -> int:
        """The only one."""
        return 0

    def get_current_stream(self, device: Any = None) -> int:
        """The only one."""
        return 0

    def get_current_target(self) -> GPUTarget:
        """What to compile for."""
        return self._target


def compile_for(target: GPUTarget) -> None:
    """From now on this process compiles for a target, and can start nothing."""
    driver.set_active(Target(target))
    memory_module._turns = _no_turns


def _no_turns(shape: LlamaShape, context_tokens: int) -> torch.Tensor:
    return torch.zeros(context_tokens, shape.head_dim // 2, 2, device=META)


def empty_parts(rows: int, context_tokens: int, storage: Storage, cache_dtype: torch.dtype = torch.bfloat16) -> Parts:
    """One layer of the shape, and room for so many streams of `context_tokens` each."""
    shape = fewer_layers(1)
    heads = (shape.heads + 2 * shape.kv_heads) * shape.head_dim
    layer = LayerMatrices(
        heads=_matrix(heads, shape.hidden, storage),
        out=_matrix(shape.hidden, shape.heads * shape.head_dim, storage),
        gate_up=_matrix(2 * shape.mlp, shape.hidden, storage),
        down=_matrix(shape.hidden, shape.mlp, storage),
    )
    embedding = torch.empty(shape.vocabulary, shape.hidden, dtype=torch.bfloat16, device=META)
    model = Model(embedding, (layer,), tuple(_matrix(LOGITS, shape.hidden, storage) for _ in range(7)))
    pages = 1 + rows * -(-context_tokens // PAGE_TOKENS)
    memory = Memory(
        shape, PROFILE.codebook_size, LOGITS, rows + 1, pages, context_tokens, rows, META, torch.bfloat16, cache_dtype
    )
    return Parts(model, memory, PlainKernels(memory, embedding, PROFILE.code_base_id), rows)


def _matrix(n: int, k: int, storage: Storage) -> Matrix:
    values = torch.empty(n, k, dtype=_TYPES[storage], device=META)
    return Matrix(values, None if storage is Storage.WHOLE else torch.empty(n, device=META))
