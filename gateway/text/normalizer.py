"""Text as it is written to text as it is said: numbers, dates, money, signs and shortened words become words.

Each number is read in the language of the words around it: of the last letter before it, else the first after it, else
of the voice. Languages other than Hindi and English are left as they are written.
"""

import re
import unicodedata
from functools import cache, partial

from gateway.text import addresses, amounts, calendar, signs
from gateway.text.english import English
from gateway.text.hindi import Hindi
from gateway.text.language import Language
from gateway.text.rule import Rule

ADDRESSES = [*addresses.RULES, *amounts.PARTS]
NUMBERS = [*calendar.RULES, *addresses.VERSIONS, *amounts.RULES]
SIGNS = [*signs.NUMERALS, *signs.RULES]
REST = [*signs.TOUCHING, *amounts.NUMBERS]
DIGIT = re.compile("[0-9]")
DEVANAGARI_DIGITS = str.maketrans("०१२३४५६७८९", "0123456789")
# Without one of these there is nothing to say differently.
WRITTEN = re.compile(r"[0-9०-९&＆@+＋=%°|•·→_/\\^`~{}*<>©®™#.½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞²³IVX]")
LETTER = re.compile(r"[A-Za-z]|([\u0904-\u0939\u0958-\u0961])")
DEVANAGARI = re.compile(r"[\u0904-\u0939\u0958-\u0961]")
# How far from a number its language is looked for.
NEAR_CHARACTERS = 40
DEVANAGARI_LANGUAGES = frozenset({"hi", "mr", "ne", "sa", "kok", "mai", "bho"})


class Normalizer:
    """Reads for a voice of one language, given as a BCP 47 tag."""

    def __init__(self, voice_language: str) -> None:
        primary = voice_language.partition("-")[0].casefold()
        in_devanagari = primary in DEVANAGARI_LANGUAGES
        self._devanagari = _language("hi") if primary == "hi" or not in_devanagari else None
        self._latin = _language("en") if primary == "en" or in_devanagari else None
        self._own = self._devanagari if in_devanagari else self._latin

    def spoken(self, text: str) -> str:
        """The text in words."""
        text = unicodedata.normalize("NFC", text)
        if not WRITTEN.search(text):
            return text
        text = self._abbreviations(text.translate(DEVANAGARI_DIGITS) if self._devanagari else text)
        has_numbers = DIGIT.search(text)
        for rule in [*ADDRESSES, *NUMBERS, *SIGNS, *REST] if has_numbers else [*ADDRESSES, *SIGNS]:
            text = self._applied(rule, text)
        return " ".join(text.split())

    def _applied(self, rule: Rule, text: str) -> str:
        def say(match: re.Match[str]) -> str:
            language = self._language_at(match)
            words = rule.say(match, language) if language else None
            return match[0] if words is None else f" {words} "

        return rule.pattern.sub(say, text)

    def _language_at(self, match: re.Match[str]) -> Language | None:
        """Hindi where the match has its letters; else by the last letter before it, else the first after it, else the
        voice's."""
        if DEVANAGARI.search(match[0]):
            return self._devanagari
        before = match.string[max(0, match.start() - NEAR_CHARACTERS) : match.start()]
        for letter in LETTER.finditer(before[::-1]):
            return self._devanagari if letter[1] else self._latin
        after = LETTER.search(match.string, match.end(), match.end() + NEAR_CHARACTERS)
        if after:
            return self._devanagari if after[1] else self._latin
        return self._own

    def _abbreviations(self, text: str) -> str:
        for language in filter(None, (self._latin, self._devanagari)):
            text = _shortened(language).sub(partial(_full, language), text)
        return text


@cache
def _language(name: str) -> Language:
    return Hindi() if name == "hi" else English()


@cache
def _shortened(language: Language) -> re.Pattern[str]:
    """Finds the language's abbreviations: whole words, each with its full stop."""
    words = "|".join(map(re.escape, sorted(language.abbreviations, key=len, reverse=True)))
    return re.compile(rf"(?<![\w.\u0900-\u0963])({words})\.")


def _full(language: Language, match: re.Match[str]) -> str:
    """The whole word; a full stop at the end of the text was the sentence's too."""
    return language.abbreviations[match[1]] + ("." if match.end() == len(match.string) else "")
