"""How much work a server takes at once, learnt from what it says. No I/O."""


class Room:
    """How many texts to ask for at once: a refusal says how many are too many, every text spoken lets it grow again."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._limit = float(jobs)
        self.running = 0

    @property
    def free(self) -> bool:
        """Whether one more may be tried."""
        return self.running < int(self._limit)

    def enter(self) -> None:
        """One more is asked for."""
        self.running += 1

    def leave(self) -> None:
        """One has ended: after about as many as run at once, one more is tried."""
        self.running -= 1
        self._limit = min(self._jobs, self._limit + 1 / self._limit)

    def refused(self) -> None:
        """One was told that the server is full."""
        self.running -= 1
        self._limit = max(1.0, float(self.running))
