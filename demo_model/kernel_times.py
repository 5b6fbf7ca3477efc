"""What the time of a training step goes to, kernel by kernel."""

from collections.abc import Callable
from typing import Any

import torch

STEPS = 3
MAX_NAME = 80


def kernel_times(step: Callable[[], Any], most: int = 30) -> dict[str, Any]:
    """Profile some steps on a GPU: kernels a step, their time a step in µs, and the costliest of them by name."""
    activities = [torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profile:
        for _ in range(STEPS):
            step()
        torch.cuda.synchronize()
    events = sorted(profile.key_averages(), key=lambda event: -event.self_device_time_total)
    return {
        "kernels": sum(event.count for event in events) // STEPS,
        "kernel_us": round(sum(event.self_device_time_total for event in events) / STEPS),
        "costliest": [
            {
                "name": event.key[:MAX_NAME],
                "calls": event.count // STEPS,
                "us": round(event.self_device_time_total / STEPS),
            }
            for event in events[:most]
        ],
    }
