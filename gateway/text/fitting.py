"""Cuts what is too long for one prompt, at the best places."""

import math
import re
import unicodedata

CLAUSE_END = re.compile(r"[,;:،—–…](?=\s)|\s[—–-](?=\s)")
MAX_TAG_CHARACTERS = 24
# How much longer than the others a piece may be for the sake of a good place to cut.
UNEVEN = 1.25
SPACE = re.compile(r"\s")


def fitted(text: str, max_characters: int) -> list[str]:
    """The text in pieces of at most `max_characters`, of about one length: a crumb at the end would be badly spoken.

    White space at the cuts is dropped.
    """
    pieces, start = [], 0
    while len(text) - start > max_characters:
        cut = even_cut(text, start, max_characters)
        pieces.append(text[start : start + cut].rstrip())
        start += cut
        while text[start : start + 1].isspace():
            start += 1
    return [*pieces, text[start:]] if start < len(text) else pieces


def even_cut(text: str, start: int, max_characters: int) -> int:
    """How much of the text to cut off from `start` on, when what is left takes more than one piece."""
    left = len(text) - start
    even = left / math.ceil(left / max_characters)
    longest = min(max_characters, int(even * UNEVEN) + 1)
    return best_cut(text[start : start + longest + 1])


def best_cut(window: str) -> int:
    """Where to cut, before the window's last character at the latest: the last clause border in its second half, else
    its last space there, else a letter's border."""
    longest = len(window) - 1
    for border in (CLAUSE_END, SPACE):
        cuts = [match.end() for match in border.finditer(window) if match.end() <= longest]
        if cuts and 2 * cuts[-1] > longest:
            return cuts[-1]
    for cut in range(longest, longest // 2, -1):
        if not _joins(window[cut - 1], window[cut]) and not _splits_tag(window, cut):
            return cut
    return longest


def _joins(before: str, after: str) -> bool:
    """Whether two characters belong to one letter: a vowel sign or virama must not begin a segment."""
    return unicodedata.category(after).startswith("M") or "\u200d" in (before, after)


def _splits_tag(window: str, cut: int) -> bool:
    """Whether the cut falls inside an emotion tag such as <laugh>."""
    opened = window.rfind("<", max(0, cut - MAX_TAG_CHARACTERS), cut)
    return opened >= 0 and ">" not in window[opened:cut]
