"""What can be done with a kernel and its arguments: start it, or only compile it, many at once."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from triton import AsyncCompileMode


def launched(kernel: Any, grid: tuple[int, ...], *arguments: Any, **named: Any) -> None:
    """Starts a kernel."""
    kernel[grid](*arguments, **named)


def compiled(kernel: Any, grid: tuple[int, ...], *arguments: Any, **named: Any) -> None:
    """Compiles a kernel for these arguments and does not start it."""
    kernel.warmup(*arguments, grid=grid, **named)


def compile_all(works: Iterable[Callable[[], None]]) -> None:
    """Does works that only compile, all processors busy; what cannot be compiled fails when it is started."""
    with ThreadPoolExecutor() as threads, AsyncCompileMode(threads, ignore_errors=True):
        for work in works:
            work()
