"""Times of work on a CUDA device, as graphs: no launch gaps but those that serving has."""

import statistics
from collections.abc import Callable
from typing import Any

import torch


def graph_microseconds(work: Callable[[], Any], repeats: int = 7) -> float:
    """The median time of a graph of this work, replayed without pause."""
    stream, graph = _captured(work)
    events = _events(repeats)
    with torch.cuda.stream(stream):
        graph.replay()
        for begin, end in events:
            begin.record()
            graph.replay()
            end.record()
        stream.synchronize()
    return _median(events)


def step_microseconds(work: Callable[[], Any], repeats: int = 25) -> float:
    """The median time of a graph of this work that is waited for each time, as steps of a service are."""
    stream, graph = _captured(work)
    events = _events(repeats)
    with torch.cuda.stream(stream):
        for _ in range(3):
            graph.replay()
        for begin, end in events:
            begin.record()
            graph.replay()
            end.record()
            end.synchronize()
    return _median(events)


def _captured(work: Callable[[], Any]) -> tuple[torch.cuda.Stream, torch.cuda.CUDAGraph]:
    """A graph of work that has run once, and the stream it was captured on."""
    stream, graph = torch.cuda.Stream(), torch.cuda.CUDAGraph()
    torch.cuda.synchronize()  # what it works on was made on another stream
    with torch.cuda.stream(stream), torch.inference_mode():
        work()
        stream.synchronize()
        with torch.cuda.graph(graph, stream=stream):
            work()
    return stream, graph


def _events(pairs: int) -> list[tuple[torch.cuda.Event, torch.cuda.Event]]:
    return [(torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for _ in range(pairs)]


def _median(events: list[tuple[torch.cuda.Event, torch.cuda.Event]]) -> float:
    milliseconds: list[float] = [begin.elapsed_time(end) for begin, end in events]
    return 1000 * statistics.median(milliseconds)
