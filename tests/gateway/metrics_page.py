"""Reading a service's Prometheus page."""

import httpx

PATIENCE_SECONDS = 60.0


def counted(metrics_port: int, name: str) -> float:
    """The value of one series, labels and all."""
    page = httpx.get(f"http://127.0.0.1:{metrics_port}/metrics", timeout=PATIENCE_SECONDS).text
    return next(float(line.split()[-1]) for line in page.splitlines() if line.startswith(name + " "))
