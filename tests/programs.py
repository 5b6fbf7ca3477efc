"""Programs that end by themselves, several at once: starting takes most of their time, and a machine has cores."""

import os
import subprocess
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

# Who imports PyTorch takes seconds to start, on a busy machine many.
PATIENCE_SECONDS = 180.0

A = TypeVar("A")
B = TypeVar("B")


def at_once(run: Callable[[A], B], each: Iterable[A]) -> list[B]:
    """What `run` returns for each of them, in their order; no more run at a time than there are cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(run, each))


def ran(*commands: Sequence[str]) -> list["subprocess.CompletedProcess[str]"]:
    """How each of these programs ended."""

    def run(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=PATIENCE_SECONDS)

    return at_once(run, commands)
