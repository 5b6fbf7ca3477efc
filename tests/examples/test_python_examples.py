"""The Python that the pages show runs as it stands, against a gateway whose address alone is another."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from swara.stack import GATEWAY_ADDRESS, Stack

ROOT = Path(__file__).parents[2]
BLOCKS = [
    pytest.param(block, id=f"{name}-{number}")
    for name in ("README.md", "docs/python.md", "docs/streaming.md")
    for number, block in enumerate(
        re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)
    )
]


@pytest.mark.parametrize("block", BLOCKS)
def test_the_python_of_a_page_hears_speech(stack: Stack, block: str) -> None:
    assert GATEWAY_ADDRESS in block
    code = block.replace(GATEWAY_ADDRESS, stack.gateway_address)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    # Each prints how long its chunks are.
    assert sum(int(line) for line in done.stdout.splitlines() if line.isdecimal()) > 0
