"""How a listener stands in a text: how much is held, and how much of the segment is likely still to come.

A plain class without a clock: the caller says what time it is, in seconds on any one clock.
"""

# More than a segment takes to its first audio on a machine that is busy. Who holds as much hears nothing of that.
SAFE_SECONDS = 1.0
# Before this text has told how it is spoken: an hour of speech is about 60,000 characters.
SECONDS_PER_CHARACTER = 0.06
# How much shorter than its length makes one expect a segment may turn out.
SHORTER_SHARE = 0.2


class Pace:
    """Follows one text: `begin` for each segment, then `heard` for each piece of it."""

    def __init__(self) -> None:
        self._playing_since_seconds: float | None = None
        self._held_seconds = 0.0
        self._characters = 0
        self._segment_seconds = 0.0
        self._spoken_characters = 0
        self._spoken_seconds = 0.0

    def begin(self, characters: int, audio_seconds: float = 0.0) -> None:
        """A segment of so many characters begins, or goes on after so much of it; the one before it is complete."""
        self._spoken_characters += self._characters
        self._spoken_seconds += self._segment_seconds
        self._characters, self._segment_seconds = characters, audio_seconds

    def heard(self, audio_seconds: float, now_seconds: float) -> None:
        """The listener gets so much audio."""
        if self._playing_since_seconds is None:
            self._playing_since_seconds = now_seconds
        self._held_seconds += audio_seconds
        self._segment_seconds += audio_seconds

    def runs_short(self, now_seconds: float) -> bool:
        """Whether the segment will soon be over and the listener not hold enough to wait for the next one's start."""
        if self._playing_since_seconds is None:
            return False
        left_seconds = self._held_seconds - (now_seconds - self._playing_since_seconds)
        return left_seconds < SAFE_SECONDS and self._to_come_seconds < SAFE_SECONDS

    @property
    def _to_come_seconds(self) -> float:
        """The least that is likely to come of this segment."""
        spoken = self._spoken_characters and self._spoken_seconds / self._spoken_characters
        expected_seconds = self._characters * (spoken or SECONDS_PER_CHARACTER)
        return (1 - SHORTER_SHARE) * expected_seconds - self._segment_seconds
