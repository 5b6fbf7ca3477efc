"""Compiles every kernel of a frame of Orpheus' shape for Hopper, without a GPU: `python -m tests.token_service.hopper`.

Prints a line for each: kernel, rows, the rings of operands too short for its stages, and the floats that did not fit
in its registers, counted in bytes.
"""

import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import torch
import triton
from triton.backends.compiler import GPUTarget

from benchmarks.offline import compile_for, empty_parts
from token_service.engines.native.cuda.matrix import Storage
from token_service.engines.native.cuda.step import frame
from token_service.engines.native.cuda.tiles import Fast, Steady, Tiling

CONTEXT_TOKENS = 640
ASSEMBLER = Path(triton.__path__[0]) / "backends" / "nvidia" / "bin" / "ptxas"


def compile_frame(storage: Storage, tiling: Tiling, rows: int, cache_dtype: torch.dtype) -> None:
    made = empty_parts(rows, CONTEXT_TOKENS, storage, cache_dtype)
    kernels = made.fused(tiling, early=True)
    seen: set[str] = set()

    def compiled(kernel: Any, grid: tuple[int, ...], *arguments: Any, **named: Any) -> None:
        binary = kernel.warmup(*arguments, grid=grid, **named)
        if binary.hash not in seen:
            seen.add(binary.hash)
            short = short_rings(binary.asm["ttgir"], named.get("STAGES", 0))
            name = f"{kernel.fn.__name__} {storage.value} {type(tiling).__name__} rows {rows}"
            print(name, *short, spilled(binary.asm["ptx"]))

    kernels.start = compiled
    frame(kernels, made.model, made.memory.cache, made.memory.batch(rows))


def short_rings(code: str, stages: int) -> list[str]:
    """The rings in shared memory that tensor cores still read when the loop's next load comes round to overwrite it."""
    sources = dict(re.findall(r"(%\w+) = ttg\.(?:memdesc_index|memdesc_trans) (%\w+)", code))
    sizes = {
        ring: int(size) for ring, size in re.findall(r"(%\w+) = ttg\.local_alloc : \(\) -> !ttg\.memdesc<(\d+)x", code)
    }
    operands = re.findall(r"warp_group_dot (%\w+), (%\w+), \S+ \{[^}]*isAsync = true", code)
    rings = {_root(operand, sources) for pair in operands for operand in pair}
    return sorted(f"{ring}:{sizes[ring]}" for ring in rings if sizes.get(ring, stages) < stages)


def _root(operand: str, sources: dict[str, str]) -> str:
    while operand in sources:
        operand = sources[operand]
    return operand


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
    compile_for(GPUTarget("cuda", 90, 32))
    bf16, fp8 = torch.bfloat16, torch.float8_e4m3fn
    for rows in (1, 4, 256):
        compile_frame(Storage.WHOLE, Fast({}), rows, bf16)
        compile_frame(Storage.FP8, Fast({}, True), rows, fp8)
    compile_frame(Storage.INT8, Fast({}, True), 4, bf16)
    compile_frame(Storage.WHOLE, Steady(), 64, bf16)


if __name__ == "__main__":
    main()
