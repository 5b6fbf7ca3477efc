"""Every kernel compiles for Hopper, keeps its numbers in registers and its operands until they are read; this needs
Triton and no GPU.
"""

import os
import re
import subprocess
import sys
from importlib.util import find_spec

import pytest


@pytest.mark.timeout(300)
@pytest.mark.skipif(find_spec("triton") is None, reason="Triton is not installed; it comes with PyTorch's CUDA builds")
def test_all_kernels_compile_for_hopper_without_spilling_registers_or_short_rings() -> None:
    # A process of its own: once its interpreter has been asked for, Triton compiles nothing.
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    command = [sys.executable, "-m", "tests.token_service.hopper"]
    told = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=280)
    assert told.returncode == 0, told.stderr[-2000:]
    lines = told.stdout.splitlines()
    assert {line.split()[0] for line in lines} == {
        "enter", "heads_product", "split_heads", "attention", "product", "gate", "draw",
    }  # fmt: skip
    assert [line for line in lines if not re.search(r"rows \d+ 0$", line)] == []
