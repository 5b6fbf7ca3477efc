"""Steps of fixed shape: memory of their own for what goes in and comes out, replayed as CUDA graphs.

Nothing is allocated, and nothing but the end of the step is waited for, once every shape has been built.
"""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from audio_service.fused.decoder import FusedDecoder
from audio_service.fused.launches import compiled
from audio_service.fused.layers import Step


class Shape:
    """Steps of B rows and F frames. Without a CUDA device the same kernels run one by one, for tests."""

    def __init__(
        self, decoder: FusedDecoder, states: Tensor, signals: tuple[Tensor, Tensor], rows: int, frames: int
    ) -> None:
        device = decoder.device
        pinned = device.type == "cuda"
        samples = frames * decoder.ending.signal.rate
        self._decoder, self._signals = decoder, signals
        self.plan = torch.zeros(rows, decoder.plan_columns(frames), dtype=torch.int64, pin_memory=pinned)
        self.audio = torch.zeros(rows, samples, pin_memory=pinned)
        self._audio = torch.zeros(rows, samples, device=device)
        self._step = Step(torch.zeros_like(self.plan, device=device), states, frames)
        self._graph: torch.cuda.CUDAGraph | None = None

    def run(self) -> None:
        """Queues the step that `plan` describes; `audio` is filled once the stream has come so far."""
        if self._graph is not None:
            self._graph.replay()
        else:
            self.queue()

    def compile(self) -> None:
        """Compiles the step's kernels."""
        self._decoder.launch(replace(self._step, start=compiled), self._signals, self._audio)

    @property
    def parts(self) -> tuple[Step, tuple[Tensor, Tensor], Tensor]:
        """The step, the room for its signals and its audio on the device."""
        return self._step, self._signals, self._audio

    def queue(self) -> None:
        """Queues the step's copies and kernels one by one."""
        self._step.plan.copy_(self.plan, non_blocking=True)
        self._decoder.launch(self._step, self._signals, self._audio)
        self.audio.copy_(self._audio, non_blocking=True)

    def capture(self, stream: torch.cuda.Stream, pool: Any) -> None:
        """Turns the step into a graph, after one over the current plan that loads the kernels."""
        with torch.cuda.stream(stream):
            self.queue()
        stream.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool, stream=stream):
            self.queue()
        self._graph = graph
