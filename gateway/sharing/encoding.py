"""A speech in one form: each chunk is encoded once, and its bytes stay for those who have not come to it yet."""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from gateway.encoders import OpusTail, Output
from gateway.encoders.opus_tail import RUN_UP_SECONDS
from swara.errors import OutOfRange
from swara.pcm import SAMPLE_BYTES

Key = tuple[str, Output, int]
"""Whose it is: the synthesis, the form, and the first sample."""


@dataclass
class Piece:
    """What the chunk that begins with a sample became, and how many listeners have yet to take it."""

    first_sample: int
    encoded: bytes
    owed: int


class Encoding:
    """One encoder and who listens to it, each of whom takes all chunks from its first on, counted from 0.

    While others may still join, it keeps everything; from `close` on what somebody has yet to take.
    """

    def __init__(self, key: Key, source_rate_hz: int, kept: Callable[[int], None]) -> None:
        """`kept` is told by how many bytes there are more to keep, or fewer."""
        self.key = key
        self.kept_bytes = 0
        self._source_rate_hz = source_rate_hz
        self._encoder = key[1].open(source_rate_hz)
        self._next_sample = key[2]
        self._kept = kept
        self._pieces: deque[Piece] = deque()
        self._forgotten = 0
        self._listeners = 0
        self._open = True
        self._rest: bytes | None = None

    @property
    def deserted(self) -> bool:
        """Whether nobody listens any more."""
        return not self._listeners

    def join(self, index: int) -> None:
        """One more listener, who begins with this chunk; while others may join."""
        self._listeners += 1
        for piece in islice(self._pieces, index, None):
            piece.owed += 1

    def index_at(self, sample: int) -> int | None:
        """The number of the chunk that begins with this sample, there already or the next; None where none does."""
        if not self._encoder.head or not self.key[2] <= sample <= self._next_sample:
            return None
        index = bisect_left(self._pieces, sample, key=_first_sample)
        begins = self._pieces[index].first_sample if index < len(self._pieces) else self._next_sample
        return index if begins == sample else None

    def tail(self, index: int, sample: int) -> OpusTail:
        """For who joins at this chunk, which begins with this sample."""
        earliest = sample - round(RUN_UP_SECONDS * self._source_rate_hz)
        first = max(0, bisect_right(self._pieces, earliest, key=_first_sample) - 1)
        run_up = b"".join(piece.encoded for piece in islice(self._pieces, first, index))
        return OpusTail(self._encoder.head, run_up, (sample - self.key[2]) / self._source_rate_hz)

    def leave(self, index: int) -> None:
        """A listener who would have taken this chunk next has gone; with the last one everything is forgotten."""
        self._listeners -= 1
        for piece in islice(self._pieces, max(0, index - self._forgotten), None):
            piece.owed -= 1
        if self.deserted:
            self.close()
        self._forget_taken()

    def take(self, index: int, pcm: bytes) -> bytes:
        """What became of a chunk; raises OutOfRange for one that has been forgotten."""
        if index < self._forgotten:
            raise OutOfRange("this listener fell behind what is kept of what others have heard already")
        if index == self._forgotten + len(self._pieces):
            self._put(pcm)
        piece = self._pieces[index - self._forgotten]
        piece.owed -= 1
        self._forget_taken()
        return piece.encoded

    def finish(self) -> bytes:
        """What the encoder has held back."""
        if self._rest is None:
            self._rest = self._encoder.finish()
        return self._rest

    def close(self) -> None:
        """Nobody joins any more."""
        self._open = False
        self._forget_taken()

    def forget_oldest(self) -> None:
        """Lets go of the oldest chunk, and of whoever has yet to take it."""
        piece = self._pieces.popleft()
        self._forgotten += 1
        self._count(-len(piece.encoded))

    def _put(self, pcm: bytes) -> None:
        encoded = self._encoder.encode(pcm)
        self._pieces.append(Piece(self._next_sample, encoded, self._listeners))
        self._next_sample += len(pcm) // SAMPLE_BYTES
        self._count(len(encoded))

    def _forget_taken(self) -> None:
        while not self._open and self._pieces and not self._pieces[0].owed:
            self.forget_oldest()

    def _count(self, size_bytes: int) -> None:
        self.kept_bytes += size_bytes
        self._kept(size_bytes)


def _first_sample(piece: Piece) -> int:
    return piece.first_sample
