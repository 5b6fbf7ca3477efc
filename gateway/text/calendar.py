"""Dates, times and years."""

import re

from gateway.text.language import Language
from gateway.text.rule import folded, rule

NAMES = (
    ("january", "jan", "जनवरी"),
    ("february", "feb", "फ़रवरी", "फरवरी"),
    ("march", "mar", "मार्च"),
    ("april", "apr", "अप्रैल"),
    ("may", "मई"),
    ("june", "jun", "जून"),
    ("july", "jul", "जुलाई"),
    ("august", "aug", "अगस्त"),
    ("september", "sept", "sep", "सितंबर", "सितम्बर"),
    ("october", "oct", "अक्टूबर", "अक्तूबर"),
    ("november", "nov", "नवंबर", "नवम्बर"),
    ("december", "dec", "दिसंबर", "दिसम्बर"),
)
MONTHS = {name: number for number, names in enumerate(NAMES, start=1) for name in names}
MONTH = rf"(?P<month>{'|'.join(sorted(MONTHS, key=len, reverse=True))})\.?(?![\w\u093e-\u094d])"
DAY = r"(?<![\w.,/:-])(?P<day>[0-3]?[0-9])(?:st|nd|rd|th)?"
YEAR = r"(?P<year>1[1-9][0-9]{2}|20[0-9]{2})(?![\w.,]*[0-9])"
CUES = "in|since|until|till|by|from|year|circa|spring|summer|autumn|winter|सन्|सन|वर्ष|साल"
TIME = r"(?<![\w:.,])(?P<hour>[01]?[0-9]|2[0-3]):(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9]))?(?![\w:])"
HALF = r"(?P<half>[ap])(?:\.m\.|m)(?!\w)"
MAX_MONTH, MAX_DAY = 12, 31


def _date(match: re.Match[str], language: Language) -> str | None:
    found = match.groupdict()
    name, year = folded(found["month"]), found.get("year")
    month = MONTHS.get(name) or int(name)
    day = int(found["day"])
    if month > MAX_MONTH >= day:
        day, month = month, day
    if not (1 <= month <= MAX_MONTH and 1 <= day <= MAX_DAY):
        return None
    return language.date(day, month, int(year) if year else None)


def _month_and_year(match: re.Match[str], language: Language) -> str:
    return f"{language.months[MONTHS[folded(match['month'])] - 1]} {language.year(int(match['year']))}"


def _year(match: re.Match[str], language: Language) -> str:
    return language.year(int(match["year"]))


def _time(match: re.Match[str], language: Language) -> str:
    found = match.groupdict()
    spoken = language.clock(int(found["hour"]), int(found.get("minute") or 0), (found["half"] or "").lower())
    second = found.get("second")
    if not second:
        return spoken
    return f"{spoken} {language.words['and']} {language.counted(str(int(second)), language.units['s'])}"


def _decade(match: re.Match[str], language: Language) -> str:
    spoken = language.year(int(match["year"]))
    return f"{spoken[:-1]}ies" if spoken.endswith("y") else f"{spoken}s"


RULES = [
    rule(r"(?<![\w.,/-])(?P<year>[12][0-9]{3})-(?P<month>[01][0-9])-(?P<day>[0-3][0-9])(?![\w-])", _date),
    rule(rf"{DAY}(?P<between>[/.-])(?P<month>[01]?[0-9]|[12][0-9]|3[01])(?P=between){YEAR}", _date),
    rule(rf"{DAY}[ -]{MONTH}(?:,? {YEAR})?", _date, re.IGNORECASE),
    rule(
        rf"(?<!\w){MONTH} (?P<day>[0-3]?[0-9])(?:st|nd|rd|th)?(?:,? {YEAR})?(?![\w:]|[.,][0-9])", _date, re.IGNORECASE
    ),
    rule(rf"(?<!\w){MONTH},? {YEAR}", _month_and_year, re.IGNORECASE),
    rule(rf"{TIME}(?: ?(?:{HALF}|बजे(?![\u0900-\u0963])))?", _time, re.IGNORECASE),
    rule(rf"(?<![\w:.,])(?P<hour>1[0-2]|0?[1-9]) ?{HALF}", _time, re.IGNORECASE),
    rule(r"(?<![\w.,])(?P<year>1[1-9][0-9]0|20[0-9]0)s(?!\w)", _decade),
    rule(rf"(?<!\w)(?P<cue>{CUES}) {YEAR}", lambda match, language: f"{match['cue']} {_year(match, language)}"),
    rule(rf"(?<![\w.,]){YEAR}(?= ?(?:में|ई\.|ईस्वी|ईसवी))", _year),
]
