"""Cuts a text into segments, each one prompt: at sentence ends, and inside a sentence only where it is too long.

No character that is spoken is lost: joined again, the segments are the text but for white space and lone punctuation.
"""

import re
import unicodedata

# A segment shorter than this (under two seconds of speech) might be over before the next one's first audio is there, so
# short sentences share a prompt.
SHORT_CHARACTERS = 24

_CLOSERS = "\"'”’»)\\]"
# The full stop ends a sentence only before white space (3.14, swara.dev); the danda and the others do anyway.
SENTENCE_END = re.compile(rf"(?:[।॥?!…。？！]+[.।॥?!…]*[{_CLOSERS}]*|\.+[{_CLOSERS}]*(?=\s|$)|\n\s*\n)")
CLAUSE_END = re.compile(r"[,;:،—–](?=\s)|\s[—–-](?=\s)")
SPACE = re.compile(r"\s")


def segments(text: str, max_characters: int) -> list[str]:
    """The text's segments, each non-empty and at most `max_characters` long."""
    pieces = [piece for sentence in sentences(text) for piece in _fit(sentence, max_characters)]
    return [segment for segment in _pack(pieces, max_characters) if _is_spoken(segment)]


def sentences(text: str) -> list[str]:
    """The text's sentences with their end marks, white space made single spaces."""
    ends = [match.end() for match in SENTENCE_END.finditer(text)]
    parts = [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]
    return [sentence for part in parts if (sentence := " ".join(part.split()))]


def _fit(sentence: str, max_characters: int) -> list[str]:
    """The sentence in pieces of at most `max_characters`, cut at the best places."""
    pieces = []
    while len(sentence) > max_characters:
        cut = _best_cut(sentence, max_characters)
        pieces.append(sentence[:cut].rstrip())
        sentence = sentence[cut:].lstrip()
    return [*pieces, sentence] if sentence else pieces


def _best_cut(sentence: str, max_characters: int) -> int:
    """Where to cut: the last clause border in the window's second half, else its last space, else a letter's border."""
    window = sentence[: max_characters + 1]
    for border in (CLAUSE_END, SPACE):
        cuts = [match.end() for match in border.finditer(window) if match.end() <= max_characters]
        if cuts and 2 * cuts[-1] > max_characters:
            return cuts[-1]
    cut = max_characters
    while cut > 1 and _joins(sentence[cut - 1], sentence[cut]):
        cut -= 1
    return cut if cut > 1 else max_characters


def _joins(before: str, after: str) -> bool:
    """Whether two characters belong to one letter: a vowel sign or virama must not begin a segment."""
    return unicodedata.category(after).startswith("M") or "\u200d" in (before, after)


def _pack(pieces: list[str], max_characters: int) -> list[str]:
    """Lets a short piece share a segment with what follows it, and the last with what is before it."""
    packed: list[str] = []
    for piece in pieces:
        if packed and len(packed[-1]) < SHORT_CHARACTERS and _both_fit(packed[-1], piece, max_characters):
            piece = f"{packed.pop()} {piece}"
        packed.append(piece)
    if len(packed) > 1 and len(packed[-1]) < SHORT_CHARACTERS and _both_fit(packed[-2], packed[-1], max_characters):
        packed[-2:] = [" ".join(packed[-2:])]
    return packed


def _both_fit(first: str, second: str, max_characters: int) -> bool:
    return len(first) + 1 + len(second) <= max_characters


def _is_spoken(segment: str) -> bool:
    """Whether there is more in it than punctuation; symbols such as ₹ and % count as spoken."""
    return any(unicodedata.category(mark)[0] in "LNMS" or mark in "%&@#*/" for mark in segment)
