"""Latin words in Devanagari, for models that read nothing else."""

import json
import re
import tomllib
from functools import cache, lru_cache
from importlib import resources

from anyascii import anyascii

from gateway.text import amounts, phones, romanized

LETTER_NAMES = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        "ए बी सी डी ई एफ़ जी एच आई जे के एल एम एन ओ पी क्यू आर एस टी यू वी डब्ल्यू एक्स वाई ज़ेड".split(),  # noqa: SIM905
        strict=True,
    )
)
WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*")
KNOWN = r"\x00-\x7f\u0900-\u097f\u200c\u200d\u2010-\u2026₹"
# Whatever is neither Devanagari nor punctuation that every model knows; signs are the normaliser's.
FOREIGN = re.compile(f"[^{KNOWN}]+")
FOREIGN_LETTERS = re.compile(rf"[^{KNOWN}{amounts.VULGAR}²³\W]+")
# Sentences end with a danda there, and initials have no full stop.
FULL_STOP = re.compile(r"(?<=[\u0900-\u0963])\.(?=\s|$)")
INITIAL = re.compile(rf"(?<![\u0900-\u0963])({'|'.join(LETTER_NAMES.values())})\.(?=\s)")
SHORT_ACRONYM, LONG_ACRONYM, LONGEST_WORD = 3, 6, 40
DIGITS = re.compile("[0-9]+")
VOWELS = re.compile("[aeiouy]")


def prepare() -> None:
    """Reads the dictionary, 0.2 s once a process: better before a text begins than in its middle."""
    _dictionary()


def in_latin(text: str) -> str:
    """The text with the letters and digits of all scripts but Devanagari as Latin ones."""
    return FOREIGN_LETTERS.sub(lambda match: anyascii(match[0]), text)


def in_devanagari(text: str) -> str:
    """The text with every Latin word as it sounds; full stops become dandas."""
    text = FOREIGN.sub(_named, text)
    words = WORD.findall(text)
    shouted = all(map(str.isupper, words)) and any(len(word) > LONG_ACRONYM for word in words)
    text = WORD.sub(lambda match: _word(match[0].lower() if shouted else match[0]), text)
    return FULL_STOP.sub("।", INITIAL.sub(r"\1", text))


@lru_cache(maxsize=65_536)
def _word(word: str) -> str:
    """One word, by the best that is known of it: its usual spelling, its sound, its letters."""
    small = word.lower().replace("’", "'")
    if loan := _loanwords().get(small):
        return loan
    if word.isupper() and (len(word) <= SHORT_ACRONYM or (len(word) <= LONG_ACRONYM and small not in _dictionary())):
        return _spelled(small)
    if sound := _sound(small):
        return phones.devanagari(sound)
    letters = small.replace("'", "")
    if len(letters) > LONGEST_WORD or not VOWELS.search(letters):
        return _spelled(letters)
    return romanized.devanagari(letters)


def _named(match: re.Match[str]) -> str:
    """What anyascii makes of other signs; the digits in it are numbers of lists, nothing to be said."""
    return match[0] if match[0].isspace() else DIGITS.sub("", anyascii(match[0]))


def _sound(word: str) -> str | None:
    """The word's pronunciation; of a plural or a possessive that is not in the dictionary, its stem's with an s."""
    sounds = _dictionary()
    stem = word.removesuffix("s").removesuffix("'")
    if word in sounds or stem == word or stem not in sounds:
        return sounds.get(word)
    return f"{sounds[stem]}s"


def _spelled(letters: str) -> str:
    return " ".join(LETTER_NAMES[letter] for letter in letters if letter in LETTER_NAMES)


@cache
def _loanwords() -> dict[str, str]:
    source = resources.files("gateway.text") / "loanwords.toml"
    return tomllib.loads(source.read_text(encoding="utf-8"))


@cache
def _dictionary() -> dict[str, str]:
    """Pronunciations of 180,000 English words, by misaki; the checked half overrules the other."""
    sounds: dict[str, str] = {}
    for name in ("us_silver.json", "us_gold.json"):
        entries = json.loads((resources.files("misaki") / "data" / name).read_text(encoding="utf-8"))
        for word, sound in entries.items():
            sounds[word.lower()] = sound if isinstance(sound, str) else sound["DEFAULT"]
    return sounds
