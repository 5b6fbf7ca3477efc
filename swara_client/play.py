"""Plays speech as it comes, through whichever player program this machine has."""

import shutil
import subprocess
from typing import Self

from swara.pcm import Samples, to_bytes

# Each takes raw s16le mono on its standard input.
PLAYERS = {
    "aplay": "-q -t raw -f S16_LE -c 1 -r {rate} -",
    "paplay": "--raw --format=s16le --channels=1 --rate={rate}",
    "play": "-q -t raw -e signed -b 16 -c 1 -r {rate} -",
    "ffplay": "-nodisp -autoexit -loglevel error -f s16le -sample_rate {rate} -i -",
}


class NoPlayer(Exception):
    """This machine has no player, or the player failed."""


def find_player() -> str:
    """The first player that is installed; raises NoPlayer."""
    for name in PLAYERS:
        if shutil.which(name):
            return name
    raise NoPlayer(f"--play needs one of {', '.join(PLAYERS)}; none is installed (use -o FILE instead)")


class Speaker:
    """A running player; a context manager that waits until all has been heard, or stops at once on an exception."""

    def __init__(self, player: str, sample_rate_hz: int) -> None:
        self._name = player
        arguments = PLAYERS[player].format(rate=sample_rate_hz).split()
        self._process = subprocess.Popen(
            [player, *arguments], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )

    def write(self, samples: Samples) -> None:
        """Plays samples [T] after those before; waits while the player holds enough. Raises NoPlayer."""
        assert self._process.stdin
        try:
            self._process.stdin.write(to_bytes(samples))
            self._process.stdin.flush()
        except BrokenPipeError:
            self._finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._finish()
        else:
            self._process.kill()
            self._process.wait()

    def _finish(self) -> None:
        _, said = self._process.communicate()
        if self._process.returncode:
            sentence = said.decode(errors="replace").strip().splitlines() or ["it said nothing"]
            raise NoPlayer(f"{self._name} failed with exit code {self._process.returncode}: {sentence[-1]}")
