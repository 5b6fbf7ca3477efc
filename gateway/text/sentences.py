"""Finds sentences in a text that comes in pieces, cut anywhere, even inside words.

Whether a border is one depends on what is before it and on the next few characters: a border counts when those are
there. So the sentences are the same however the text was cut into pieces.
"""

import re

from gateway.text.abbreviations import is_open
from gateway.text.fitting import best_cut, even_cut

# One run of end marks with the quotes and brackets that close behind it. The bounds keep LOOKAHEAD_CHARACTERS true.
BORDER = re.compile(r"[।॥.?!…。？！]{1,8}[\"'”’»)\]*_]{0,4}|\n\n?|[,;:،—–](?= )|(?<= )[—–-](?= )")
# A line that begins a list's item, a heading, a quotation, a table's row or code.
ITEM = re.compile(r"\n(?:[-*+•‣·–>] |#{1,6} |[0-9०-९]{1,3}[.)] |```|\|)")
ITEM_CHARACTERS = 8
# A border that ends this far before the end of what has come is certain: marks, quotes, a space, an item's number.
LOOKAHEAD_CHARACTERS = 16
WHITE = re.compile(r"\s+")
CLAUSE_MARKS = frozenset(",;:،—–-")
STRONG = frozenset("।॥。")
ASKING = frozenset("?!？！")
MAX_WORD_CHARACTERS = 24


class Sentences:
    """Takes a text piece by piece and gives its sentences, each at most `max_characters` long.

    While less than `first_characters` have been given, a clause border is good enough from there on.
    """

    def __init__(self, max_characters: int, first_characters: int) -> None:
        self._max_characters = max_characters
        self._first_characters = first_characters
        self._restart()

    def _restart(self) -> None:
        self._text = ""
        self._space = ""
        self._checked = 0
        self._given_characters = 0

    @property
    def pending_characters(self) -> int:
        """How much has come of the sentence that is not complete."""
        return len(self._text)

    def feed(self, piece: str) -> list[str]:
        """The sentences that are complete now."""
        self._append(piece)
        return self._complete(at_end=False)

    def flush(self) -> list[str]:
        """All that is left, complete or not; the next piece begins a new text."""
        sentences = self._complete(at_end=True)
        if self._text:
            sentences.append(self._text)
        self._restart()
        return sentences

    def _append(self, piece: str) -> None:
        """Adds the piece with white space narrowed; that at its end waits for what follows."""
        piece = WHITE.sub(_narrow, self._space + piece)
        kept = piece.rstrip()
        self._space = piece[len(kept) :]
        self._text += kept if self._text else kept.lstrip()

    def _complete(self, at_end: bool) -> list[str]:
        """Cuts off every complete sentence."""
        sentences, start = [], 0
        while (end := self._end(start, at_end)) is not None:
            sentences.append(self._text[start:end].rstrip())
            self._given_characters += end - start
            start = end
            while self._text[start : start + 1].isspace():
                start += 1
            self._checked = start
        self._text = self._text[start:]
        self._checked = max(0, self._checked - start)
        return sentences

    def _end(self, start: int, at_end: bool) -> int | None:
        """Where the sentence that begins at `start` ends; None where too little has come to say."""
        limit = start + self._max_characters
        for match in BORDER.finditer(self._text, max(self._checked, start), limit + LOOKAHEAD_CHARACTERS):
            if match.end() > limit:
                break
            if not at_end and not self._is_certain(match):
                return None
            if self._is_end(match, start):
                return match.end()
            self._checked = match.end()
        if at_end and len(self._text) > limit:
            return start + even_cut(self._text, start, self._max_characters)
        if len(self._text) > limit + LOOKAHEAD_CHARACTERS:
            return start + best_cut(self._text[start : limit + 1])
        return None

    def _is_certain(self, match: re.Match[str]) -> bool:
        """Whether what follows the border, and decides about it, is there."""
        return len(self._text) - match.end() >= (ITEM_CHARACTERS if match[0] == "\n" else 2)

    def _is_end(self, match: re.Match[str], start: int) -> bool:
        """Whether the sentence that begins at `start` ends at this border."""
        marks = match[0]
        if marks[0] == "\n":
            return marks == "\n\n" or ITEM.match(self._text, match.start()) is not None
        if marks in CLAUSE_MARKS:
            return self._is_early(match, start)
        if STRONG.intersection(marks):
            return True
        after = self._text[match.end() : match.end() + 2]
        if after and not after[0].isspace():
            return "." not in marks and after[0].isalpha() and not after[0].isascii()
        following = after.strip()
        return not following.islower() and (bool(ASKING.intersection(marks)) or self._stops(match, start, following))

    def _is_early(self, match: re.Match[str], start: int) -> bool:
        """Whether this clause border ends the first sentence: it is long enough, and the comma stands in no date."""
        text, end = self._text, match.end()
        long_enough = self._given_characters < self._first_characters <= self._given_characters + end - start
        return long_enough and not (text[match.start() - 1].isdigit() and text[end : end + 2].strip().isdigit())

    def _stops(self, match: re.Match[str], start: int, following: str) -> bool:
        """Whether a full stop or an ellipsis before white space ends a sentence."""
        if "…" in match[0] or ".." in match[0]:
            return following.isupper() or not following
        before = self._text[max(start, match.start() - MAX_WORD_CHARACTERS) : match.start()]
        word = before.split()[-1] if before and not before[-1].isspace() else ""
        if word == before and word.isdigit():
            return not following
        return not is_open(word, following)


def _narrow(match: re.Match[str]) -> str:
    breaks = match[0].count("\n")
    return "\n" * min(breaks, 2) if breaks else " "
