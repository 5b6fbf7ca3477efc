"""Work of fixed shape over the device's memory as CUDA graphs: nothing is allocated, and one call starts it."""

import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any

import torch


class Graphs:
    """One piece of work for every rung of a ladder. Without a CUDA device it is done as it is called."""

    def __init__(self, rungs: Sequence[int], work: Callable[[int], None], stream: torch.cuda.Stream | None) -> None:
        self.rungs = list(rungs)
        self._work, self._stream = work, stream
        self._graphs: dict[int, torch.cuda.CUDAGraph] = {}

    def rung(self, rows: int) -> int:
        """The smallest rung with room for so many rows."""
        return self.rungs[bisect_left(self.rungs, rows)]

    def capture(self, pool: Any, prepare: Callable[[], None]) -> float:
        """Captures every rung, the largest first, each after one run that loads its kernels; the seconds it took.

        `prepare` is called before each, to leave nothing in the plan that a run could do harm with.
        """
        began = time.perf_counter()
        if self._stream is None:
            return 0.0
        for rows in reversed(self.rungs):
            prepare()
            self._work(rows)
            self._stream.synchronize()
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=pool, stream=self._stream):
                self._work(rows)
            self._graphs[rows] = graph
        return time.perf_counter() - began

    def run(self, rung: int) -> None:
        """Starts the work of a rung."""
        graph = self._graphs.get(rung)
        if graph is None:
            self._work(rung)
        else:
            graph.replay()
