"""A training step as one CUDA graph. A step is some ten thousand small kernels; started one by one they leave the
GPU waiting for the host, recorded once and replayed they do not."""

from collections.abc import Callable

import torch
from torch import Tensor

WARM_UP_STEPS = 3
"""Before a recording, libraries choose their algorithms and optimizers make their state."""


class Replay:
    """Calls `step`, recorded on a GPU; the tensor it returns is the same one at every call."""

    def __init__(self, step: Callable[[], Tensor]) -> None:
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP_STEPS):
                step()
        torch.cuda.current_stream().wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._result = step()

    def __call__(self) -> Tensor:
        """One step."""
        self._graph.replay()
        return self._result
