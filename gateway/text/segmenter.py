"""Packs sentences into segments: each one prompt, long enough to speak while the next one begins."""

import unicodedata
from collections.abc import Callable, Iterator

from gateway.text.fitting import fitted
from gateway.text.sentences import LOOKAHEAD_CHARACTERS, Sentences

# A segment shorter than this (under two seconds of speech) might be over before the next one's first audio is there, so
# short sentences share a prompt.
SHORT_CHARACTERS = 24
# When this much has come after a segment, the next sentence cannot be a short one that would have to join it.
APART_CHARACTERS = SHORT_CHARACTERS + LOOKAHEAD_CHARACTERS
# How much of a whole text is looked at at once: about the length of a segment, which is what is wanted at a time.
PIECE_CHARACTERS = 160


def plain(text: str) -> str:
    """The text as it is written, its line breaks made spaces."""
    return " ".join(text.split())


class Segmenter:
    """Takes a text piece by piece, cut anywhere, and gives its segments, each at most `max_characters` long.

    The first comes early: at the first sentence or clause border from `first_characters` on. With `first_characters`
    at `max_characters` it is as long as the others. How the text was cut into pieces changes when segments come, never
    what they are. `read` turns what was written into what is to be said, before it is made to fit.
    """

    def __init__(
        self, max_characters: int, first_characters: int = SHORT_CHARACTERS, read: Callable[[str], str] = plain
    ) -> None:
        self._read = read
        self._max_characters = max_characters
        self._first_characters = first_characters
        self._sentences = Sentences(max_characters, first_characters)
        self._held: list[str] = []
        self._begun = False

    def feed(self, piece: str) -> list[str]:
        """The segments that are complete now."""
        segments = self._packed(self._sentences.feed(piece))
        if self._sentences.pending_characters >= APART_CHARACTERS:
            segments += self._released(1 if self._held and self._is_short(self._held[-1]) else 0)
        return self._spoken(segments)

    def flush(self) -> list[str]:
        """Segments of all that has come, without waiting for the sentence's end; the next piece begins a new text."""
        segments = self._packed(self._sentences.flush())
        if len(self._held) > 1 and self._is_short(self._held[-1]) and self._fit(*self._held[-2:]):
            self._held[-2:] = ["\n".join(self._held[-2:])]
        segments += self._released(0)
        self._begun = False
        return self._spoken(segments)

    def _packed(self, sentences: list[str]) -> list[str]:
        """Puts sentences behind the held ones, each on its own line; gives the segments that are complete."""
        segments = []
        for sentence in sentences:
            if self._held and self._is_short(self._held[-1]) and self._fit(self._held[-1], sentence):
                self._held[-1] = f"{self._held[-1]}\n{sentence}"
            else:
                self._held.append(sentence)
            if len(self._held) > 2 or (len(self._held) > 1 and not self._is_short(self._held[-1])):
                segments += self._released(1)
            if not self._begun and self._first_characters <= len(self._held[-1]) < self._max_characters:
                segments += self._released(0)
        return segments

    def _released(self, kept: int) -> list[str]:
        """All held segments but the last `kept`."""
        count = len(self._held) - kept
        released, self._held = self._held[:count], self._held[count:]
        self._begun = self._begun or bool(released)
        return released

    def _is_short(self, segment: str) -> bool:
        return len(segment) < SHORT_CHARACTERS

    def _fit(self, first: str, second: str) -> bool:
        return len(first) + 1 + len(second) <= self._max_characters

    def _spoken(self, segments: list[str]) -> list[str]:
        """What is said of them: those with more in them than punctuation, cut again where the words are too long."""
        said = map(self._read, segments)
        return [piece for text in said for piece in fitted(text, self._max_characters) if is_spoken(piece)]


def segments(text: str, max_characters: int, read: Callable[[str], str] = plain) -> Iterator[str]:
    """The segments of a whole text, each non-empty and at most `max_characters` long.

    Each is made when it is asked for; what comes after it has then not been looked at, but for the next few sentences.
    """
    segmenter = Segmenter(max_characters, max_characters, read)
    for start in range(0, len(text), PIECE_CHARACTERS):
        yield from segmenter.feed(text[start : start + PIECE_CHARACTERS])
    yield from segmenter.flush()


def is_spoken(segment: str) -> bool:
    """Whether there is more in it than punctuation; symbols such as ₹ and % count as spoken."""
    return any(unicodedata.category(mark)[0] in "LNMS" or mark in "%&@#*/" for mark in segment)
