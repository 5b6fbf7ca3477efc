"""So much a minute: a bucket that fills evenly and holds one minute's worth. No I/O; times on any one clock."""

SECONDS = 60.0


class Allowance:
    """What one key may use a minute of; None is without limit.

    Whoever has anything left may take more than that and then waits longer: a text is never too long for a limit, and
    one that is still being written is counted when it is known.
    """

    def __init__(self, per_minute: int | None) -> None:
        self.per_minute = per_minute
        self._left = float(per_minute or 0)
        self._at_seconds = 0.0

    def wait_seconds(self, now_seconds: float) -> float:
        """How long until there is something left; 0 where there is now."""
        if self.per_minute is None:
            return 0.0
        self._fill(now_seconds, self.per_minute)
        return max(0.0, (1.0 - self._left) * SECONDS / self.per_minute)

    def take(self, amount: int, now_seconds: float) -> None:
        """Counts what was used."""
        if self.per_minute is not None:
            self._fill(now_seconds, self.per_minute)
            self._left -= amount

    def _fill(self, now_seconds: float, per_minute: int) -> None:
        passed_seconds = max(0.0, now_seconds - self._at_seconds)
        self._left = min(float(per_minute), self._left + passed_seconds * per_minute / SECONDS)
        self._at_seconds = now_seconds
