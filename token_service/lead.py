"""How far a stream is ahead of the listener who plays it in real time. A plain class without a clock."""

from swara.frames import FRAME_SECONDS

# A codec gives a frame's samples out when it has seen so many frames after it, rounded up.
LOOKAHEAD_FRAMES = 3
# With so many frames a listener holds the 200 ms at which the player of swara/player.py begins.
START_FRAMES = LOOKAHEAD_FRAMES + 2


class Lead:
    """What one listener holds; times in seconds on any one clock."""

    def __init__(self) -> None:
        self._frames = 0
        self._dry_seconds: float | None = None

    @property
    def playing(self) -> bool:
        """Whether playback has begun, so that a late frame would be a gap."""
        return self._dry_seconds is not None

    def sent(self, frames: int, now_seconds: float) -> None:
        """Notes that so many new frames exist. A player that ran dry has waited for them and goes on."""
        self._frames += frames
        if self._dry_seconds is not None:
            self._dry_seconds = max(self._dry_seconds, now_seconds) + frames * FRAME_SECONDS
        elif self._frames >= START_FRAMES:
            self._dry_seconds = now_seconds + (self._frames - LOOKAHEAD_FRAMES) * FRAME_SECONDS

    def seconds(self, now_seconds: float) -> float:
        """How much speech the listener holds that has not been played; 0 until playback has begun, and negative for as
        long as there is a gap.
        """
        return 0.0 if self._dry_seconds is None else self._dry_seconds - now_seconds
