"""How much memory a process of this machine holds."""

import os
from pathlib import Path


def resident_bytes(process_id: int | str = "self") -> int:
    """What the kernel keeps in memory for it; Linux only."""
    pages = Path(f"/proc/{process_id}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
