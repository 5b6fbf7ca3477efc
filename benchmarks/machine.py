"""Which machine a number comes from."""

import os
import platform
from pathlib import Path


def describe() -> dict[str, str | int]:
    """Processor, cores this process may use, operating system, Python."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def file_name(device: str) -> str:
    """A device's name as part of the name of a file."""
    return "".join(letter if letter.isalnum() else "-" for letter in device.lower())


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
