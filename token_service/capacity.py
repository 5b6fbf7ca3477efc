"""How many real-time streams this machine carries: measured at warm-up, corrected by what happens.

A plain class without a clock. The measurement is only a first guess, since other services may have been starting beside
it. A stream that falls behind real time lowers it to less than was running; while it is used up and all keep a safe
lead it grows, one stream at a time.
"""

from swara.frames import FRAME_SECONDS

# A listener who holds less than this may soon hear a gap: two frames. One who holds half of it is about to.
LOW_LEAD_SECONDS = 2 * FRAME_SECONDS
# Long enough to see what a stream more or less did to the others.
SETTLE_SECONDS = 5.0
# Share of a frame's time that steps may take on the idle machine: codec, servicer and gRPC need the rest.
USABLE_SHARE = 0.75


class Capacity:
    """Streams that may run at once: from 1 to the ceiling, which is the places that memory was reserved for."""

    def __init__(self, ceiling_streams: int) -> None:
        self._ceiling_streams = ceiling_streams
        self._changed_seconds = float("-inf")
        self.streams = ceiling_streams

    def measured(self, step_seconds: float, streams_per_step: int) -> None:
        """Notes that one step gives `streams_per_step` streams a frame each in this time."""
        steps = int(USABLE_SHARE * FRAME_SECONDS / step_seconds)
        self.streams = max(1, min(self._ceiling_streams, steps * streams_per_step))

    def observe(self, now_seconds: float, running_streams: int, lowest_lead_seconds: float) -> None:
        """Notes how many streams run and how far the slowest listened-to one is ahead of real time."""
        if now_seconds - self._changed_seconds < SETTLE_SECONDS:
            return
        if lowest_lead_seconds < FRAME_SECONDS and running_streams <= self.streams:
            self._change(max(1, running_streams - 1), now_seconds)
        elif lowest_lead_seconds > LOW_LEAD_SECONDS and running_streams >= self.streams:
            self._change(min(self._ceiling_streams, self.streams + 1), now_seconds)

    def _change(self, streams: int, now_seconds: float) -> None:
        if streams != self.streams:
            self.streams = streams
            self._changed_seconds = now_seconds
