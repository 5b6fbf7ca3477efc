"""How English says numbers, dates and times; num2words knows the numbers."""

from functools import lru_cache

from num2words import num2words

from gateway.text.language import Language

# Names of denominators; larger ones are read "over".
PARTS = {2: ("half", "halves"), 3: ("third", "thirds"), 4: ("quarter", "quarters"), 5: ("fifth", "fifths")}
PARTS |= {6: ("sixth", "sixths"), 7: ("seventh", "sevenths"), 8: ("eighth", "eighths"), 10: ("tenth", "tenths")}
CRORE = 10**7
# From here on num2words refuses to count by lakh; what is more is said as so many crore.
MAX_NAMED_CRORES = 1_000


class English(Language):
    """English."""

    def __init__(self) -> None:
        super().__init__("english.toml")

    def cardinal(self, number: int, by_lakh: bool = False) -> str:
        """A whole number, by million or by lakh."""
        crores, rest = divmod(number, CRORE)
        if not by_lakh or crores < MAX_NAMED_CRORES:
            return _worded(number, "cardinal", by_lakh)
        spoken = f"{self.cardinal(crores, by_lakh)} crore"
        return f"{spoken} {'and ' if rest < 100 else ''}{self.cardinal(rest, by_lakh)}" if rest else spoken

    def ordinal(self, number: int, suffix: str = "") -> str:
        """first, twenty-second."""
        return _worded(number, "ordinal", False)

    def year(self, number: int) -> str:
        """nineteen forty-seven, twenty twenty-four, two thousand and five."""
        return _worded(number, "year", False)

    def clock(self, hour: int, minute: int, half: str) -> str:
        """ten thirty A M, ten oh five, ten o'clock."""
        if minute:
            spoken = f"{self.cardinal(hour)} {'oh ' if minute < 10 else ''}{self.cardinal(minute)}"
        else:
            spoken = self.cardinal(hour) if half else f"{self.cardinal(hour)} o'clock"
        return f"{spoken} {half.upper()} M" if half else spoken

    def date(self, day: int, month: int, year: int | None) -> str:
        """August fifteenth, nineteen forty-seven."""
        spoken = f"{self.months[month - 1]} {self.ordinal(day)}"
        return spoken if year is None else f"{spoken}, {self.year(year)}"

    def fraction(self, whole: int, numerator: int, denominator: int) -> str:
        """one half, three quarters, two and a half, five over eleven."""
        one, many = PARTS.get(denominator, ("", ""))
        if not one:
            part = f"{self.cardinal(numerator)} {self.words['over']} {self.cardinal(denominator)}"
        else:
            part = f"{self.cardinal(numerator)} {one if numerator == 1 else many}"
        return f"{self.cardinal(whole)} and {part.replace('one half', 'a half')}" if whole else part


@lru_cache(maxsize=4096)
def _worded(number: int, form: str, by_lakh: bool) -> str:
    words: str = num2words(number, to=form, lang="en_IN" if by_lakh else "en")
    return words.replace(",", "")
