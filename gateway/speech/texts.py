"""Where the conductor gets its segments from: a text that is there already, or one that is still being written."""

from collections.abc import Iterable
from itertools import islice
from typing import Protocol

from gateway.speech.manuscript import Manuscript, Mark


class Texts(Protocol):
    """The segments of one text, by index; a conductor asks for one after the other."""

    async def segment(self, index: int) -> str | None:
        """The text of a segment, as soon as it is there; None where the text ends before it."""
        ...

    def known(self, index: int) -> str | None:
        """The text of a segment, where it is there already."""
        ...

    def rest(self, index: int) -> tuple[str, ...]:
        """What is known of the text from a segment on."""
        ...


class Written(Texts):
    """A whole text; `parts` begins with segment number `first_segment`, and is asked for no more than is wanted.

    So a long text costs the work of its first segment before that is heard, and the rest while it is.
    """

    def __init__(self, parts: Iterable[str], first_segment: int = 0) -> None:
        self._unread = iter(parts)
        self._parts: list[str] = []
        self._first_segment = first_segment

    async def segment(self, index: int) -> str | None:
        """The text of a segment, at once."""
        return self.known(index)

    def known(self, index: int) -> str | None:
        """The same."""
        place = index - self._first_segment
        self._parts += islice(self._unread, max(0, place + 1 - len(self._parts)))
        return next(iter(self._parts[place:]), None)

    def rest(self, index: int) -> tuple[str, ...]:
        """All texts from this segment on, which takes the work of all."""
        self._parts += self._unread
        return tuple(self._parts[index - self._first_segment :])


class Cutter(Protocol):
    """Cuts a text that comes in pieces into segments."""

    def feed(self, piece: str) -> list[str]:
        """The segments that are complete with this piece."""
        ...

    def flush(self) -> list[str]:
        """The segments of what is still held."""
        ...


class Arriving(Texts):
    """A text that is being written: the next segment is there when its end has been written, or a flush came."""

    def __init__(self, manuscript: Manuscript, cutter: Cutter) -> None:
        self._manuscript = manuscript
        self._cutter = cutter
        self._parts: list[str] = []
        self._ended = False

    async def segment(self, index: int) -> str | None:
        """Waits for a segment; while it waits nothing is ordered, so no slot is held."""
        while len(self._parts) <= index and not self._ended:
            self._parts += self._cut(await self._manuscript.take())
        return next(iter(self.rest(index)), None)

    def known(self, index: int) -> str | None:
        """The segment, where enough for it has been written."""
        while len(self._parts) <= index and not self._ended and (piece := self._manuscript.take_written()) is not None:
            self._parts += self._cut(piece)
        return next(iter(self.rest(index)), None)

    def rest(self, index: int) -> tuple[str, ...]:
        """What has been cut from this segment on."""
        return tuple(self._parts[index:])

    def _cut(self, piece: str | Mark) -> list[str]:
        if isinstance(piece, Mark):
            self._ended = piece is Mark.END
            return self._cutter.flush()
        if parts := self._cutter.feed(piece):
            self._manuscript.cut()
        return parts


class Repeatable(Texts):
    """Texts of which a segment can be spoken again, as the one that follows it."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._repeats: list[int] = []

    async def segment(self, index: int) -> str | None:
        """The text of a segment, or again that of the one before it."""
        return await self._texts.segment(self._inner(index))

    def known(self, index: int) -> str | None:
        """The text of a segment, where it is there already."""
        return self._texts.known(self._inner(index))

    def rest(self, index: int) -> tuple[str, ...]:
        """What is known of the text from a segment on."""
        return self._texts.rest(self._inner(index))

    def repeats(self, index: int) -> bool:
        """Whether a segment is the one before it, spoken again."""
        return index in self._repeats

    def repeat(self, index: int) -> None:
        """The segment that is being spoken is to be spoken once more."""
        self._repeats.append(index + 1)

    def _inner(self, index: int) -> int:
        return index - sum(repeat <= index for repeat in self._repeats)
