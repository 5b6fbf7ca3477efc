"""How many real-time streams this machine carries: measured at warm-up and ever after, corrected by what happens.

A plain class without a clock. The time of a step says how many streams have room in a frame's time; a listener about to
run dry says that it was too many, and for a while one fewer than was running is all there is room for.
"""

from swara.frames import FRAME_SECONDS

# A listener who holds less than this may soon hear a gap: two frames. One who holds half of it is about to.
LOW_LEAD_SECONDS = 2 * FRAME_SECONDS
# Long enough to see what one stream fewer, or one more, did to the others.
SETTLE_SECONDS = 5.0
# Share of a frame's time that steps may take: the other service, gRPC and, between the language model's steps, prompts
# need the rest.
USABLE_SHARE = 0.6
# Weight of the newest step in the mean; about the last second counts.
NEWEST_SHARE = 0.05


class Capacity:
    """Streams that may run at once: from 1 to the ceiling, which is the places that memory was reserved for."""

    def __init__(self, ceiling_streams: int, streams_per_step: int) -> None:
        self._ceiling_streams = ceiling_streams
        self._streams_per_step = streams_per_step
        self._step_seconds = 0.0
        self._cap_streams = ceiling_streams
        self._capped_seconds = float("-inf")

    @property
    def streams(self) -> int:
        """The capacity now."""
        return min(self._room_streams, self._cap_streams)

    def stepped(self, step_seconds: float) -> None:
        """Notes the time of a step, in which up to `streams_per_step` streams got a frame each."""
        last = self._step_seconds or step_seconds
        self._step_seconds = last + NEWEST_SHARE * (step_seconds - last)

    def stepped_within(self, step_seconds: float) -> None:
        """Notes that such a step takes no longer than this: news where other work held up the one it is known by."""
        self._step_seconds = min(self._step_seconds or step_seconds, step_seconds)

    def observe(self, now_seconds: float, running_streams: int, lowest_lead_seconds: float) -> None:
        """Notes how many streams run and how much the listener who has least still holds."""
        if now_seconds - self._capped_seconds < SETTLE_SECONDS:
            return
        if lowest_lead_seconds < FRAME_SECONDS:
            self._cap_streams = max(1, min(self._cap_streams, running_streams - 1))
            self._capped_seconds = now_seconds
        elif lowest_lead_seconds > LOW_LEAD_SECONDS and self._cap_streams < self._room_streams:
            self._cap_streams += 1
            self._capped_seconds = now_seconds

    @property
    def _room_streams(self) -> int:
        if not self._step_seconds:
            return self._ceiling_streams
        steps = int(USABLE_SHARE * FRAME_SECONDS / self._step_seconds)
        return max(1, min(self._ceiling_streams, steps * self._streams_per_step if steps else self._streams_of_one))

    @property
    def _streams_of_one(self) -> int:
        """Where one step takes more than its share of a frame's time and keeps up all the same: fewer than it could
        hold, so that the rest of the work becomes less; down to one where it takes the whole time.
        """
        spare_share = (1 - self._step_seconds / FRAME_SECONDS) / (1 - USABLE_SHARE)
        return 1 + int((self._streams_per_step - 1) * max(0.0, spare_share))
