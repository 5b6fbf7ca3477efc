"""Times of work on a CUDA device, as graphs: no launch gaps but those that serving has."""

import statistics
from collections.abc import Callable
from typing import Any

import torch


def graph_microseconds(work: Callable[[], Any], repeats: int = 7) -> float:
    """The median time of a graph of this work, after it has run twice."""
    stream = torch.cuda.Stream()
    torch.cuda.synchronize()  # what it works on was made on another stream
    with torch.cuda.stream(stream), torch.inference_mode():
        work()
        stream.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=stream):
            work()
        events = [(torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for _ in range(repeats)]
        graph.replay()
        for begin, end in events:
            begin.record()
            graph.replay()
            end.record()
        stream.synchronize()
    milliseconds: list[float] = [begin.elapsed_time(end) for begin, end in events]
    return 1000 * statistics.median(milliseconds)
