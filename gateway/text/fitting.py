"""Cuts what is too long for one prompt, at the best places."""

import re
import unicodedata

CLAUSE_END = re.compile(r"[,;:،—–…](?=\s)|\s[—–-](?=\s)")
MAX_TAG_CHARACTERS = 24
SPACE = re.compile(r"\s")


def fitted(text: str, max_characters: int) -> list[str]:
    """The text in pieces of at most `max_characters`; white space at the cuts is dropped."""
    pieces, start = [], 0
    while len(text) - start > max_characters:
        cut = best_cut(text[start : start + max_characters + 1])
        pieces.append(text[start : start + cut].rstrip())
        start += cut
        while text[start : start + 1].isspace():
            start += 1
    return [*pieces, text[start:]] if start < len(text) else pieces


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
