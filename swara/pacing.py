"""How many frames go into one message: few while the listener holds little, more when playback is safely ahead.

A message costs a Python hop the same whatever it carries (about 5,000 a second on a core), so 256 streams of single
frames would need most of one; the first half second is never delayed for that.
"""

from swara.frames import FRAME_SECONDS

# (audio already sent, in seconds; frames a message from there on)
LADDER = ((0.0, 1), (0.5, 2), (2.0, 4))


class Pacer:
    """Decides when the frames of one stream are worth a message; times in seconds on any one clock."""

    def __init__(self) -> None:
        self._sent_frames = 0
        self._first_seconds: float | None = None

    def wanted_frames(self, now_seconds: float) -> int:
        """How many frames the next message should hold."""
        if self._first_seconds is None:
            return 1
        sent_seconds = self._sent_frames * FRAME_SECONDS
        held_seconds = sent_seconds - (now_seconds - self._first_seconds)
        wanted = max(frames for from_seconds, frames in LADDER if sent_seconds >= from_seconds)
        # Waiting for a message of n frames must not let the listener run dry.
        return wanted if held_seconds > 2 * wanted * FRAME_SECONDS else 1

    def sent(self, frames: int, now_seconds: float) -> None:
        """Notes that a message with this many frames has left."""
        if self._first_seconds is None:
            self._first_seconds = now_seconds
        self._sent_frames += frames
