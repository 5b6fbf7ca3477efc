"""What a process has spent of the machine's processors (Linux)."""

import os
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Of all its threads since it began, in user mode and in the kernel; its children's time is not in it."""
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    user_ticks, kernel_ticks = after_name[11:13]
    return (int(user_ticks) + int(kernel_ticks)) / TICKS_A_SECOND
