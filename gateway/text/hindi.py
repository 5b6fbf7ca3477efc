"""How Hindi says numbers, dates and times.

The words are our own: num2words has no Hindi, and indic-num2words 1.3.2 misspells a third of those below a hundred
(चालिस, चौबिस) and reads every number over ten digits one by one.
"""

from gateway.text.language import Language

SCALES = [(10**11, "खरब"), (10**9, "अरब"), (10**7, "करोड़"), (10**5, "लाख"), (10**3, "हज़ार"), (100, "सौ")]
# The vowel with which the ordinals that are not regular end, by that of the written suffix: ला and वाँ, ली and वीं.
ENDINGS = {"ी": "ी", "े": "े"}
CENTURIES = range(1100, 2000)
FRACTIONS = {(1, 2): "आधा", (1, 4): "एक चौथाई", (3, 4): "तीन चौथाई", (1, 3): "एक तिहाई", (2, 3): "दो तिहाई"}


class Hindi(Language):
    """Hindi, in Devanagari."""

    def __init__(self) -> None:
        super().__init__("hindi.toml")
        self._below_hundred: list[str] = self._raw["below_hundred"].split()
        self._ordinals: dict[str, str] = self._raw["ordinals"]

    def cardinal(self, number: int, by_lakh: bool = False) -> str:
        """A whole number, always by lakh and crore."""
        parts = []
        for scale, name in SCALES:
            count, number = divmod(number, scale)
            if count:
                parts.append(f"{self.cardinal(count)} {name}")
        if number or not parts:
            parts.append(self._below_hundred[number])
        return " ".join(parts)

    def ordinal(self, number: int, suffix: str = "") -> str:
        """पहला, दूसरी, पाँचवें; the gender is the suffix's."""
        vowel = next((ENDINGS[mark] for mark in suffix if mark in ENDINGS), "ा")
        if stem := self._ordinals.get(str(number)):
            return stem + vowel
        return f"{self.cardinal(number)}व{vowel}{'ँ' if vowel == 'ा' else 'ं'}"

    def year(self, number: int) -> str:
        """उन्नीस सौ सैंतालीस, दो हज़ार चौबीस."""
        hundreds, rest = divmod(number, 100)
        if number not in CENTURIES:
            return self.cardinal(number)
        return f"{self.cardinal(hundreds)} सौ {self.cardinal(rest)}" if rest else f"{self.cardinal(hundreds)} सौ"

    def clock(self, hour: int, minute: int, half: str) -> str:
        """सुबह साढ़े दस बजे, दस बजकर बीस मिनट."""
        if not half and (hour == 0 or hour > 12):
            half = "p" if hour else "a"
        hour = hour % 12 or 12
        part_of_day = _part_of_day(hour % 12 + (12 if half == "p" else 0)) if half else ""
        if minute in (0, 15, 30, 45):
            return f"{part_of_day} {self._quarters(hour, minute)} बजे".strip()
        return f"{part_of_day} {self.cardinal(hour)} बजकर {self.cardinal(minute)} मिनट".strip()

    def date(self, day: int, month: int, year: int | None) -> str:
        """पंद्रह अगस्त उन्नीस सौ सैंतालीस."""
        spoken = f"{self.cardinal(day)} {self.months[month - 1]}"
        return spoken if year is None else f"{spoken} {self.year(year)}"

    def fraction(self, whole: int, numerator: int, denominator: int) -> str:
        """आधा, तीन चौथाई, ढाई, पाँच बटा सात."""
        if whole and (numerator, denominator) in ((1, 4), (1, 2), (3, 4)):
            return self._quarters(whole, 60 * numerator // denominator)
        part = FRACTIONS.get((numerator, denominator))
        part = part or f"{self.cardinal(numerator)} {self.words['over']} {self.cardinal(denominator)}"
        return f"{self.cardinal(whole)} {self.words['and']} {part}" if whole else part

    def _quarters(self, whole: int, sixtieths: int) -> str:
        """A whole number and 0, 15, 30 or 45 sixtieths: सवा, डेढ़, ढाई, साढ़े, पौने."""
        special = {(1, 30): "डेढ़", (2, 30): "ढाई", (0, 45): "पौन", (1, 15): "सवा", (0, 15): "पाव", (0, 30): "आधा"}
        if (whole, sixtieths) in special:
            return special[whole, sixtieths]
        if sixtieths == 45:
            return f"पौने {self.cardinal(whole + 1)}"
        return f"{ {0: '', 15: 'सवा ', 30: 'साढ़े '}[sixtieths] }{self.cardinal(whole)}"


def _part_of_day(hour: int) -> str:
    if 4 <= hour < 12:
        return "सुबह"
    if 12 <= hour < 16:
        return "दोपहर"
    return "शाम" if 16 <= hour < 20 else "रात"
