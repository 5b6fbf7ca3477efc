"""A text while it is being written: pieces go in at one end, and come out at the other when the conductor wants more.

What is held is bounded: the text as a whole by the limit of one request, and what nobody has taken yet by
`HELD_CHARACTERS`, past which a door stops reading. No mark follows one of its kind, so there are no more marks than
pieces.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from swara.errors import InvalidRequest, Silent

# Twenty minutes of speech. A writer who is further ahead waits; as `cancel` would wait too, it is far more than one
# answer of a language model, and hanging up always works.
HELD_CHARACTERS = 20_000
# How long text may wait for the end of its sentence where it does not wait for as long as it takes.
MAX_PATIENCE_MS = 60_000


class Mark(Enum):
    """What comes between pieces of text."""

    FLUSH = "flush"
    END = "end"


class Manuscript:
    """One text's way from its writer; `write`, `flush` and `end` are the writer's, `take` is the conductor's.

    Text waits no longer than `patience_seconds` for the end of its sentence (None: for ever), and a writer may pause
    for `pause_seconds`.
    """

    def __init__(self, max_characters: int, patience_seconds: float | None, pause_seconds: float) -> None:
        self._max_characters = max_characters
        self._patience_seconds = patience_seconds
        self._pause_seconds = pause_seconds
        self._pieces: deque[str | Mark] = deque()
        self._characters = 0
        self._held_characters = 0
        self._ended = False
        self._waits_since_seconds: float | None = None
        self._awaited = False
        self._awaited_until_seconds = float("-inf")
        self._news = asyncio.Event()
        self._room = asyncio.Event()

    @property
    def characters(self) -> int:
        """How much has been written so far."""
        return self._characters

    @property
    def since_awaited_seconds(self) -> float:
        """How long ago the conductor has last waited for text: 0 while it waits, infinite where it never has."""
        return 0.0 if self._awaited else time.perf_counter() - self._awaited_until_seconds

    @property
    def may_be_awaited(self) -> bool:
        """Whether the conductor waits for text."""
        return self._awaited

    def write(self, piece: str) -> None:
        """The next piece, of any length; raises InvalidRequest for too much text and for what is none."""
        self._refuse_after_end("text")
        self._characters += len(piece)
        if self._characters > self._max_characters:
            raise InvalidRequest(f"the text has {self._characters} characters, the limit is {self._max_characters}")
        try:
            piece.encode()
        except UnicodeEncodeError:
            raise InvalidRequest("text is not valid Unicode: it holds half of a surrogate pair") from None
        if piece:
            self._held_characters += len(piece)
            self._put(piece)

    def flush(self) -> None:
        """What has come so far is to be spoken without waiting for its sentence's end; twice is as good as once."""
        self._refuse_after_end("flush")
        if not self._pieces or self._pieces[-1] is not Mark.FLUSH:
            self._put(Mark.FLUSH)

    def end(self) -> None:
        """There is no more text; saying it twice changes nothing."""
        if not self._ended:
            self._ended = True
            self._put(Mark.END)

    async def room(self) -> None:
        """Waits while so much is held that the writer should wait."""
        while self._held_characters >= HELD_CHARACTERS:
            self._room.clear()
            await self._room.wait()

    async def take(self) -> str | Mark:
        """The next piece or mark. FLUSH too where text has waited long enough; raises Silent after a long pause."""
        while not self._pieces:
            self._news.clear()
            try:
                with self._awaiting():
                    async with asyncio.timeout_at(self._limit_seconds()):
                        await self._news.wait()
            except TimeoutError:
                return self._flushed_or_ended()
        return self._taken()

    @contextmanager
    def _awaiting(self) -> Iterator[None]:
        self._awaited = True
        try:
            yield
        finally:
            self._awaited, self._awaited_until_seconds = False, time.perf_counter()

    def take_written(self) -> str | Mark | None:
        """The next piece or mark, where one has been written."""
        return self._taken() if self._pieces else None

    def _taken(self) -> str | Mark:
        piece = self._pieces.popleft()
        if isinstance(piece, str):
            self._held_characters -= len(piece)
            self._room.set()
            self._waits_since_seconds = self._waits_since_seconds or _now_seconds()
        else:
            self._waits_since_seconds = None
        return piece

    def cut(self) -> None:
        """A segment has been made of what was taken; what is left of it, if anything, waits from now on."""
        self._waits_since_seconds = _now_seconds()

    def _limit_seconds(self) -> float:
        if self._patience_seconds is None or self._waits_since_seconds is None:
            return _now_seconds() + self._pause_seconds
        return self._waits_since_seconds + self._patience_seconds

    def _flushed_or_ended(self) -> Mark:
        if self._patience_seconds is None or self._waits_since_seconds is None:
            raise Silent(f"no text came for {self._pause_seconds:g} s; the synthesis has been ended")
        self._waits_since_seconds = None
        return Mark.FLUSH

    def _refuse_after_end(self, what: str) -> None:
        if self._ended:
            raise InvalidRequest(f"{what} came after the end of the text")

    def _put(self, piece: str | Mark) -> None:
        self._pieces.append(piece)
        self._news.set()


def _now_seconds() -> float:
    return asyncio.get_running_loop().time()
