"""A bound on repeated work: when everything fails, trying it all again elsewhere would only be a second storm."""

from collections import deque

WINDOW_SECONDS = 10.0
SHARE = 0.2
# A gateway with few requests may still try a few of them again.
FLOOR_RETRIES = 10


class RetryBudget:
    """Over the last ten seconds, one retry for every five requests and ten more; times on any one clock."""

    def __init__(self) -> None:
        self._requests: deque[float] = deque()
        self._retries: deque[float] = deque()

    def requested(self, now_seconds: float) -> None:
        """A request came."""
        self._requests.append(now_seconds)
        self._forget(now_seconds)

    def take(self, now_seconds: float) -> bool:
        """Takes one retry out of the budget; False where it is used up."""
        self._forget(now_seconds)
        if len(self._retries) >= FLOOR_RETRIES + SHARE * len(self._requests):
            return False
        self._retries.append(now_seconds)
        return True

    def _forget(self, now_seconds: float) -> None:
        for times in (self._requests, self._retries):
            while times and times[0] < now_seconds - WINDOW_SECONDS:
                times.popleft()
