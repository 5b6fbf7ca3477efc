"""From what is written to what is said, for one model and one voice."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import emoji

from gateway.text import transliterator
from gateway.text.markup import Markup
from gateway.text.normalizer import Normalizer

# Every emoji has a character of these blocks.
MAY_BE_EMOJI = re.compile("[\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001fbff]")
# White space before a mark that belongs to the word before it.
GAP = re.compile(r" ([,;:.!?।॥…)\]])")


@dataclass(frozen=True)
class Style:
    """How texts are read.

    `normalization`: numbers, dates, money and signs become words. `markdown`: its signs are taken off, or read like
    others. `emoji`: left out, or read by their English names.
    """

    normalization: Literal["on", "off"] = "on"
    markdown: Literal["strip", "speak"] = "strip"
    emoji: Literal["strip", "speak"] = "strip"


class Reader:
    """Reads one text, segment by segment.

    `language` is the voice's, `scripts` are those that the model reads (none: all of them), `emotion_tags` are the
    names of the tags that it acts out; they stay as they are.
    """

    def __init__(
        self, style: Style, language: str, scripts: Sequence[str] = (), emotion_tags: Sequence[str] = ()
    ) -> None:
        self._style = style
        self._markup = Markup()
        self._normalizer = Normalizer(language)
        self._reads_latin = not scripts or "Latin" in scripts
        if not self._reads_latin:
            transliterator.prepare()
        self._tags = re.compile(f"(<(?:{'|'.join(map(re.escape, emotion_tags))})>)" if emotion_tags else "(?!)()")

    def read(self, segment: str) -> str:
        """What is to be said; empty where nothing is."""
        text = self._markup.plain(segment) if self._style.markdown == "strip" else segment
        parts = self._tags.split(text)
        parts[::2] = map(self._words, parts[::2])
        return GAP.sub(r"\1", " ".join(" ".join(parts).split()))

    def _words(self, text: str) -> str:
        text = _without_emoji(text) if self._style.emoji == "strip" else _with_emoji_names(text)
        text = text if self._reads_latin else transliterator.in_latin(text)
        if self._style.normalization == "on":
            text = self._normalizer.spoken(text)
        return text if self._reads_latin else transliterator.in_devanagari(text)


def _without_emoji(text: str) -> str:
    return emoji.replace_emoji(text, "") if MAY_BE_EMOJI.search(text) else text


def _with_emoji_names(text: str) -> str:
    if not MAY_BE_EMOJI.search(text):
        return text
    return emoji.replace_emoji(text, lambda _, data: f" {data['en'].strip(':').replace('_', ' ')} ")
