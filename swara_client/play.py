"""Plays speech as it comes, through whichever player program this machine has."""

import queue
import shutil
import subprocess
import threading
from typing import Self

from swara.pcm import Samples, to_bytes

# Each takes raw s16le mono on its standard input.
PLAYERS = {
    "aplay": "-q -t raw -f S16_LE -c 1 -r {rate} -",
    "paplay": "--raw --format=s16le --channels=1 --rate={rate}",
    "play": "-q -t raw -e signed -b 16 -c 1 -r {rate} -",
    "ffplay": "-nodisp -autoexit -loglevel error -f s16le -sample_rate {rate} -i -",
}

# A chunk is at least a frame, so this is six minutes of speech; the player takes it at its own pace, and what is said
# about arrival stays true.
HELD_CHUNKS = 4_096


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
        self._held: queue.Queue[bytes | None] = queue.Queue(HELD_CHUNKS)
        self._feeder = threading.Thread(target=self._feed, name="feeds the player", daemon=True)
        self._feeder.start()

    def write(self, samples: Samples) -> None:
        """Plays samples [T] after those before. Raises NoPlayer."""
        if self._process.poll() is not None:
            self._finish()
            raise NoPlayer(f"{self._name} ended before the speech did")
        self._held.put(to_bytes(samples))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._finish()
        else:
            self._process.kill()
            self._process.wait()

    def _feed(self) -> None:
        assert self._process.stdin
        try:
            while (data := self._held.get()) is not None:
                self._process.stdin.write(data)
                self._process.stdin.flush()
        except BrokenPipeError:
            # Whoever waits for room in the queue must not wait for ever.
            while self._held.get() is not None:
                pass

    def _finish(self) -> None:
        self._held.put(None)
        self._feeder.join()
        _, said = self._process.communicate()
        if self._process.returncode:
            sentence = said.decode(errors="replace").strip().splitlines() or ["it said nothing"]
            raise NoPlayer(f"{self._name} failed with exit code {self._process.returncode}: {sentence[-1]}")
