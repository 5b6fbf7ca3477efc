"""Reading a service's Prometheus page."""

import re
from urllib.request import urlopen

PATIENCE_SECONDS = 60.0
RUNNING = re.compile(r"swara_(gateway|audio)_(active_streams|listeners)\b")


def series(metrics_port: int) -> dict[str, float]:
    """What the page says now, by name and labels; some are not there before they have been counted once."""
    # Asked before every test of a stack: a client with TLS at hand takes longer to make than the page.
    with urlopen(f"http://127.0.0.1:{metrics_port}/metrics", timeout=PATIENCE_SECONDS) as answer:
        page = answer.read().decode()
    said = (line.rpartition(" ") for line in page.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in said}


def counted(metrics_port: int, name: str) -> float:
    """The value of one series, labels and all."""
    return series(metrics_port)[name]


def nobody_speaks(metrics_port: int) -> bool:
    """Whether a gateway or an audio service has no stream and no listener: a stream's end is counted last."""
    return not any(value for name, value in series(metrics_port).items() if RUNNING.match(name))
