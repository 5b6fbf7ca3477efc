"""A speech in one form: each chunk is encoded once, and its bytes stay for those who have not come to it yet."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from gateway.encoders import Encoder, Output
from swara.errors import OutOfRange

Key = tuple[str, Output, int]
"""Whose it is: the synthesis, the form, and the first sample."""


@dataclass
class Piece:
    """What one chunk became, and how many listeners have yet to take it."""

    encoded: bytes
    owed: int


class Encoding:
    """One encoder and who listens to it, each of whom takes all chunks in their order, counted from 0.

    While others may still join, it keeps everything; from `close` on what somebody has yet to take.
    """

    def __init__(self, key: Key, encoder: Encoder, kept: Callable[[int], None]) -> None:
        """`kept` is told by how many bytes there are more to keep, or fewer."""
        self.key = key
        self.kept_bytes = 0
        self._encoder = encoder
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

    def join(self) -> None:
        """One more listener, who begins with the first chunk."""
        self._listeners += 1
        for piece in self._pieces:
            piece.owed += 1

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
            self._put(self._encoder.encode(pcm))
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

    def _put(self, encoded: bytes) -> None:
        self._pieces.append(Piece(encoded, self._listeners))
        self._count(len(encoded))

    def _forget_taken(self) -> None:
        while not self._open and self._pieces and not self._pieces[0].owed:
            self.forget_oldest()

    def _count(self, size_bytes: int) -> None:
        self.kept_bytes += size_bytes
        self._kept(size_bytes)
