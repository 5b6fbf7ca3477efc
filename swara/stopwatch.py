"""A stopwatch for the stages of one request."""

import time


class Stopwatch:
    """Seconds since it was made, and marks by name."""

    def __init__(self) -> None:
        self._start_seconds = time.perf_counter()
        self._marks: dict[str, float] = {}

    @property
    def started_seconds(self) -> float:
        """When it was made, on the clock of `time.perf_counter()`."""
        return self._start_seconds

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._start_seconds

    def mark(self, name: str) -> float:
        """Remembers when `name` first happened; returns that time in seconds since the start."""
        return self._marks.setdefault(name, self.seconds)

    def at(self, name: str) -> float | None:
        """When `name` first happened in seconds since the start; None if it has not."""
        return self._marks.get(name)
