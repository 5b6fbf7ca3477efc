"""A simulated player: when a listener first hears something, and how often the sound would stop.

Law 8: first audio is the first 10 ms with RMS above -50 dBFS, and a player that begins at 200 ms held judges gaps.
No clock and no I/O: the caller says when each chunk came.
"""

from dataclasses import dataclass

import numpy as np

from swara.frames import SAMPLE_RATE_HZ
from swara.pcm import Samples, rms_dbfs

AUDIBLE_DBFS = -50.0
WINDOW_SECONDS = 0.010
START_HELD_SECONDS = 0.200


@dataclass(frozen=True)
class Playback:
    """What the listener experienced; times in seconds since the request left, None where it never happened."""

    first_audio_seconds: float | None
    play_seconds: float | None
    underruns: int
    gap_seconds: float
    audio_seconds: float
    arrival_seconds: float

    @property
    def real_time_factor(self) -> float:
        """Seconds of audio per second of waiting for all of it; above 1 is faster than real time."""
        return self.audio_seconds / self.arrival_seconds if self.arrival_seconds > 0 else 0.0


class Ear:
    """Hears when the first audible sample comes: `hear` each piece; `heard` from then on."""

    def __init__(self, sample_rate_hz: int = SAMPLE_RATE_HZ) -> None:
        self._window_samples = int(WINDOW_SECONDS * sample_rate_hz)
        self._unjudged = np.empty(0, np.int16)
        self.heard = False

    def hear(self, samples: Samples) -> None:
        """Takes the next samples [T]."""
        if self.heard:
            return
        waiting = np.concatenate([self._unjudged, samples])
        judged = len(waiting) // self._window_samples * self._window_samples
        windows = waiting[:judged].reshape(-1, self._window_samples)
        self.heard = any(rms_dbfs(window) > AUDIBLE_DBFS for window in windows)
        self._unjudged = waiting[judged:]


class Player:
    """Plays chunks as they come: `feed` each, then `finish`; `rest` where there is nothing to play for a while."""

    def __init__(self, sample_rate_hz: int = SAMPLE_RATE_HZ) -> None:
        self._rate_hz = sample_rate_hz
        self._ear = Ear(sample_rate_hz)
        self._samples = 0
        self._waiting_samples = 0
        self._playing = False
        self._first_audio_seconds: float | None = None
        self._play_seconds: float | None = None
        self._dry_seconds = 0.0
        self._underruns = 0
        self._gap_seconds = 0.0
        self._last_seconds = 0.0

    def feed(self, at_seconds: float, samples: Samples) -> None:
        """Takes samples [T] that arrived `at_seconds` after the request left."""
        if not len(samples):
            return
        self._last_seconds = at_seconds
        self._ear.hear(samples)
        if self._ear.heard and self._first_audio_seconds is None:
            self._first_audio_seconds = at_seconds
        self._samples += len(samples)
        if self._playing:
            self._fill(at_seconds, len(samples))
        else:
            self._hold(at_seconds, len(samples))

    def rest(self) -> None:
        """The sound has stopped because there is nothing to say: the next begins anew, and the silence is no gap."""
        self._playing = False

    def finish(self, at_seconds: float) -> Playback:
        """The stream ended `at_seconds` after the request left; what is held now plays to its end."""
        if self._waiting_samples:
            self._begin(at_seconds)
        return Playback(
            self._first_audio_seconds,
            self._play_seconds,
            self._underruns,
            self._gap_seconds,
            self._samples / self._rate_hz,
            self._last_seconds,
        )

    @property
    def first_audio_seconds(self) -> float | None:
        """When the first audible sample came; None before."""
        return self._first_audio_seconds

    @property
    def underruns(self) -> int:
        """Gaps so far; one that has not ended yet is not among them."""
        return self._underruns

    @property
    def held_seconds(self) -> float:
        """Seconds of audio received in all."""
        return self._samples / self._rate_hz

    def slack_seconds(self, now_seconds: float) -> float:
        """How long the sound goes on if nothing more arrives; negative once it has stopped."""
        return self._dry_seconds - now_seconds if self._playing else self._waiting_seconds

    @property
    def _waiting_seconds(self) -> float:
        return self._waiting_samples / self._rate_hz

    def _hold(self, at_seconds: float, count: int) -> None:
        self._waiting_samples += count
        if self._waiting_seconds >= START_HELD_SECONDS:
            self._begin(at_seconds)

    def _begin(self, at_seconds: float) -> None:
        self._playing = True
        if self._play_seconds is None:
            self._play_seconds = at_seconds
        self._dry_seconds = at_seconds + self._waiting_seconds
        self._waiting_samples = 0

    def _fill(self, at_seconds: float, count: int) -> None:
        if at_seconds > self._dry_seconds:
            self._underruns += 1
            self._gap_seconds += at_seconds - self._dry_seconds
            self._dry_seconds = at_seconds
        self._dry_seconds += count / self._rate_hz
