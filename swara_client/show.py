"""What the command line says about a synthesis on stderr: a bar while it runs, one line when it has ended."""

import sys
from typing import Self

from swara.player import Playback

# Hindi and English are read at about 14 characters a second; only the bar's length depends on it.
CHARACTERS_PER_SECOND = 14.0
BAR_CELLS = 24


class Bar:
    """One line that is drawn over and over where stderr is a terminal, and nothing elsewhere."""

    def __init__(self, expected_seconds: float) -> None:
        self._expected_seconds = max(expected_seconds, 0.5)
        self._shown = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def update(self, audio_seconds: float, passed_seconds: float) -> None:
        """Shows how much has been spoken in how long."""
        share = min(audio_seconds / self._expected_seconds, 1.0)
        cells = ("█" * round(share * BAR_CELLS)).ljust(BAR_CELLS, "░")
        speed = audio_seconds / passed_seconds if passed_seconds > 0 else 0.0
        self._draw(f"{cells} {audio_seconds:5.1f} s spoken, {speed:.1f}x real time")

    def clear(self) -> None:
        """Wipes the line."""
        self._draw("")

    def _draw(self, line: str) -> None:
        if self._shown:
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


def expected_seconds(text: str) -> float:
    """How long speaking this text takes, roughly."""
    return len(text) / CHARACTERS_PER_SECOND


def summary(playback: Playback) -> str:
    """What the listener experienced, in one line."""
    return (
        f"first audio {milliseconds(playback.first_audio_seconds)}, play {milliseconds(playback.play_seconds)}, "
        f"{playback.audio_seconds:.2f} s of speech, real-time factor {playback.real_time_factor:.2f}, "
        f"{playback.underruns} underruns"
    )


def milliseconds(seconds: float | None) -> str:
    """A time for people; `never` where there is none."""
    return "never" if seconds is None else f"{1000 * seconds:.0f} ms"


def note(line: str) -> None:
    """Says one line on stderr."""
    print(line, file=sys.stderr, flush=True)
