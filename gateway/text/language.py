"""What the languages have in common in how they say numbers; each says the rest in its own way."""

import tomllib
from abc import ABC, abstractmethod
from importlib import resources
from typing import Any

# More digits than this name a thing and count nothing: they are read one by one.
MAX_COUNTED_DIGITS = 9
MAX_GROUPED_DIGITS = 15


class Language(ABC):
    """How one language says things; numbers come as digits 0 to 9, with or without commas between groups."""

    def __init__(self, words_file: str) -> None:
        raw: dict[str, Any] = tomllib.loads((resources.files("gateway.text") / words_file).read_text(encoding="utf-8"))
        self.words: dict[str, str] = raw["words"]
        self.months: list[str] = raw["months"].split()
        self.currencies: dict[str, list[str]] = raw["currencies"]
        self.units: dict[str, list[str]] = raw["units"]
        self.abbreviations: dict[str, str] = raw["abbreviations"]
        self._raw = raw

    @abstractmethod
    def cardinal(self, number: int, by_lakh: bool = False) -> str:
        """A whole number from 0; `by_lakh` groups it the Indian way where the language knows another."""

    @abstractmethod
    def ordinal(self, number: int, suffix: str = "") -> str:
        """The place in a row; `suffix` is how it was written, and tells the gender."""

    @abstractmethod
    def year(self, number: int) -> str:
        """A year of four digits."""

    @abstractmethod
    def clock(self, hour: int, minute: int, half: str) -> str:
        """A time of day; `half` is "a", "p" or empty."""

    @abstractmethod
    def date(self, day: int, month: int, year: int | None) -> str:
        """A day of the year."""

    @abstractmethod
    def fraction(self, whole: int, numerator: int, denominator: int) -> str:
        """A whole number, which may be 0, and a fraction."""

    def digits(self, digits: str) -> str:
        """Digits one by one."""
        return " ".join(self.cardinal(int(digit)) for digit in digits if digit.isdigit())

    def number(self, written: str, by_lakh: bool = False) -> str:
        """A number as it is written: with commas, with decimals."""
        whole, _, decimals = written.replace(",", "").partition(".")
        limit = MAX_GROUPED_DIGITS if "," in written else MAX_COUNTED_DIGITS
        if len(whole) > limit or (len(whole) > 1 and whole[0] == "0"):
            spoken = self.digits(whole)
        else:
            spoken = self.cardinal(int(whole), by_lakh or _is_grouped_by_lakh(written))
        return f"{spoken} {self.words['point']} {self.digits(decimals)}" if decimals else spoken

    def counted(self, written: str, names: list[str]) -> str:
        """A number with the name of what it counts, the first for one, the second for more."""
        return f"{self.number(written)} {names[0] if written == '1' else names[1]}"


def _is_grouped_by_lakh(written: str) -> bool:
    """Whether the commas stand as in 12,34,567."""
    _, *groups = written.partition(".")[0].split(",")
    return len(groups) > 1 and len(groups[0]) == 2
