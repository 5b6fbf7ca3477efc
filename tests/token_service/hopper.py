"""Compiles every kernel of a frame of Orpheus' shape for Hopper, without a GPU: `python -m tests.token_service.hopper`.

Prints a line for each: kernel, rows, and the floats that did not fit in its registers, counted in bytes.
"""

import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.runtime import driver

from token_service.engines.native.cuda import memory as memory_module
from token_service.engines.native.cuda.fused import FusedKernels
from token_service.engines.native.cuda.matrix import Matrix, Storage
from token_service.engines.native.cuda.memory import Memory
from token_service.engines.native.cuda.step import LayerMatrices, Model, frame
from token_service.engines.native.cuda.tiles import Fast, Steady, Tiling
from token_service.engines.native.weights import LlamaShape

ONE_LAYER = LlamaShape(1, 3072, 24, 8, 128, 8192, 156_940, 1e-5, 500_000.0, None, True)
META = torch.device("meta")
LOGITS = 4160
ASSEMBLER = Path(triton.__path__[0]) / "backends" / "nvidia" / "bin" / "ptxas"


class Hopper:
    """What Triton asks a driver when it only compiles."""

    def get_current_device(self) -> int:
        return 0

    def get_current_stream(self, device: Any = None) -> int:
        return 0

    def get_current_target(self) -> GPUTarget:
        return GPUTarget("cuda", 90, 32)


def matrix(n: int, k: int, storage: Storage) -> Matrix:
    kinds = {Storage.WHOLE: torch.bfloat16, Storage.FP8: torch.float8_e4m3fn, Storage.INT8: torch.int8}
    values = torch.empty(n, k, dtype=kinds[storage], device=META)
    return Matrix(values, None if storage is Storage.WHOLE else torch.empty(n, device=META))


def compile_frame(storage: Storage, tiling: Tiling, rows: int, cache_dtype: torch.dtype) -> None:
    shape, pages = ONE_LAYER, 1000
    memory = Memory(shape, 4096, LOGITS, 257, pages, 12_512, rows, META, torch.bfloat16, cache_dtype)
    embedding = torch.empty(shape.vocabulary, shape.hidden, dtype=torch.bfloat16, device=META)
    heads = (shape.heads + 2 * shape.kv_heads) * shape.head_dim
    sizes = {
        "heads": (heads, shape.hidden), "out": (shape.hidden, shape.heads * shape.head_dim),
        "gate_up": (2 * shape.mlp, shape.hidden), "down": (shape.hidden, shape.mlp),
    }  # fmt: skip
    layer = LayerMatrices(*(matrix(*size, storage) for size in sizes.values()))
    model = Model(embedding, (layer,), tuple(matrix(LOGITS, shape.hidden, storage) for _ in range(7)))
    kernels = FusedKernels(memory, embedding, 128_266, tiling, True, rows)
    kernels.reserve([*((kind, *size) for kind, size in sizes.items()), ("logits", LOGITS, shape.hidden)], [rows])
    seen: set[str] = set()

    def compiled(kernel: Any, grid: tuple[int, ...], *arguments: Any, **named: Any) -> None:
        made = kernel.warmup(*arguments, grid=grid, **named)
        if made.hash not in seen:
            seen.add(made.hash)
            print(f"{kernel.fn.__name__} {storage.value} {type(tiling).__name__} rows {rows}", spilled(made.asm["ptx"]))

    kernels.start = compiled
    frame(kernels, model, memory.cache, memory.batch(rows))


def spilled(ptx: str) -> int:
    """The bytes of registers' contents that the assembler puts into memory."""
    with tempfile.NamedTemporaryFile("w", suffix=".ptx") as source, tempfile.NamedTemporaryFile() as target:
        source.write(ptx)
        source.flush()
        arch = "sm_90a" if "sm_90a" in ptx else "sm_90"
        command = [str(ASSEMBLER), "-v", f"--gpu-name={arch}", source.name, "-o", target.name]
        told = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stderr
    return sum(int(count) for count in re.findall(r"(\d+) bytes spill", told))


def main() -> None:
    driver.set_active(Hopper())
    memory_module._turns = lambda shape, context: torch.zeros(context, shape.head_dim // 2, 2, device=META)
    bf16, fp8 = torch.bfloat16, torch.float8_e4m3fn
    for rows in (1, 4, 256):
        compile_frame(Storage.WHOLE, Fast({}), rows, bf16)
        compile_frame(Storage.FP8, Fast({}, True), rows, fp8)
    compile_frame(Storage.INT8, Fast({}, True), 4, bf16)
    compile_frame(Storage.WHOLE, Steady(), 64, bf16)


if __name__ == "__main__":
    main()
