"""Money, measures, shares, places in a row, and plain numbers."""

import re
import unicodedata
from fractions import Fraction

from gateway.text.language import Language
from gateway.text.rule import NUMBER, folded, rule, word

CURRENCIES = {"rs": "₹", "rs.": "₹", "inr": "₹", "रु": "₹", "रु.": "₹", "usd": "$", "us$": "$", "eur": "€", "gbp": "£"}
BEFORE = r"(?P<sign>US\$|[₹$€£¥]|(?<!\w)(?:Rs\.?|INR|USD|EUR|GBP|रु\.?))"
AFTER = r"(?P<sign>[₹$€£¥]|(?:Rs\.?|INR|USD|EUR|GBP)(?!\w))"
SCALES = "thousand|lakhs?|crores?|million|billion|trillion|हज़ार|हजार|लाख|करोड़|अरब"
SCALE = rf"(?: (?P<scale>{SCALES})(?![\w\u0900-\u0963]))?"
# Other ways to write the units of the languages' tables.
UNITS = {
    "kms": "km",
    "kgs": "kg",
    "gm": "g",
    "gms": "g",
    "l": "L",
    "lt": "L",
    "mL": "ml",
    "kmph": "km/h",
    "kph": "km/h",
}
UNITS |= {"sec": "s", "secs": "s", "mins": "min", "hr": "h", "hrs": "h", "℃": "°C", "℉": "°F", "° C": "°C", "° F": "°F"}
UNITS |= {"किमी": "km", "कि.मी.": "km", "किग्रा": "kg", "कि.ग्रा.": "kg", "सेमी": "cm", "से.मी.": "cm", "मिमी": "mm"}
UNITS |= {"ग्रा": "g", "मिली": "ml", "जीबी": "GB", "एमबी": "MB", "केबी": "KB"}
PLAIN = (
    "km m cm mm ft kg g mg L ml km/h m/s °C °F ° m² km² m³ KB MB GB TB Mbps Gbps Hz kHz MHz GHz V W kW kWh ms s min h"
)
UNIT = "|".join(map(re.escape, sorted([*PLAIN.split(), *UNITS], key=len, reverse=True)))
VULGAR = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
HINDI_ORDINAL = "वाँ|वां|वीं|वी|वें|वे|ला|ली|ले|रा|री|रे|था|थी|थे|ठा|ठी|ठे"
# What is counted in Hindi is counted in Hindi, also after a Latin word: meeting 11 बजे.
COUNTED = "बजे|रुपये|रुपए|पैसे|किलो|मीटर|लीटर|मिनट|घंटे|घंटा|दिन|हफ़्ते|महीने|साल|लोग|बार|प्रतिशत|हज़ार|हजार|लाख|करोड़|अरब"
ALWAYS = (24, 7)


def _money(match: re.Match[str], language: Language) -> str:
    sign, number, scale = match["sign"], match["number"], match.groupdict().get("scale")
    one, many, small_one, small_many = language.currencies[CURRENCIES.get(folded(sign), sign)]
    if scale:
        return f"{language.number(number)} {scale} {many}"
    whole, _, decimals = number.partition(".")
    if len(decimals) != 2 or not small_one:
        return f"{_money_number(number, sign, language)} {one if number == '1' else many}"
    spoken = f"{_money_number(whole, sign, language)} {one if whole == '1' else many}"
    if not int(decimals):
        return spoken
    return f"{spoken} {language.counted(str(int(decimals)), [small_one, small_many])}"


def _money_number(number: str, sign: str, language: Language) -> str:
    return language.number(number, by_lakh=CURRENCIES.get(folded(sign), sign) == "₹")


def _measure(match: re.Match[str], language: Language) -> str:
    unit = match["unit"]
    return language.counted(match["number"], language.units[UNITS.get(unit, unit)])


def _percent(match: re.Match[str], language: Language) -> str:
    return f"{language.number(match[1])} {language.words['percent']}"


def _ordinal(match: re.Match[str], language: Language) -> str:
    return language.ordinal(int(match[1]), match[2])


def _fraction(match: re.Match[str], language: Language) -> str | None:
    whole, numerator, denominator = (int(part or 0) for part in match.groups())
    if (numerator, denominator) == ALWAYS:
        return f"{language.cardinal(numerator)} {language.cardinal(denominator)}"
    if not denominator or (whole and numerator >= denominator):
        return None
    return language.fraction(whole, numerator, denominator)


def _vulgar(match: re.Match[str], language: Language) -> str:
    part = Fraction(unicodedata.numeric(match[2])).limit_denominator(10)
    return language.fraction(int(match[1] or 0), part.numerator, part.denominator)


def _ratio(match: re.Match[str], language: Language) -> str:
    return f" {language.words['ratio']} ".join(map(language.number, match.groups()))


def _number(match: re.Match[str], language: Language) -> str:
    return language.number(match[0])


RULES = [
    rule(rf"{BEFORE} ?(?P<number>{NUMBER}){SCALE}", _money, re.IGNORECASE),
    rule(rf"(?P<number>{NUMBER}) ?{AFTER}", _money, re.IGNORECASE),
    rule(r"(?<=[0-9]) ?[–—-] ?(?=[₹$€£]?[0-9])", word("to")),
    rule(r"(?:(?<=^)|(?<=[\s(]))[−-](?=[₹$€£]?[0-9])", word("minus")),
    rule(rf"({NUMBER}) ?%", _percent),
    rule(rf"(?P<number>{NUMBER}) ?(?P<unit>{UNIT})(?![\w\u0900-\u0963/²³])", _measure),
    rule(r"(?<![\w.,])([0-9]{1,15})(st|nd|rd|th)(?!\w)", _ordinal),
    rule(rf"(?<![\w.,])([0-9]{{1,15}})-?({HINDI_ORDINAL})(?![\u0900-\u0963])", _ordinal),
    rule(r"(?<![\w./,])(?:([0-9]{1,4}) )?([0-9]{1,3})/([0-9]{1,3})(?![\w/])", _fraction),
    rule(r"(?<![\w:.,])([0-9]{1,4}):([0-9]{1,4})(?![\w:])", _ratio),
    rule(r"(?<=[0-9]) ?\+ ?(?=[0-9])", word("plus")),
    rule(r"(?<=[0-9]) ?[x×*] ?(?=[0-9])", word("times")),
    rule(r"(?<=[0-9]) ?÷ ?(?=[0-9])", word("divided")),
]
PARTS = [rule(rf"(?:(?<![\w.,])([0-9]{{1,4}}) ?)?([{VULGAR}])", _vulgar)]
NUMBERS = [
    rule(
        rf"({NUMBER}) ({COUNTED})(?![\u0900-\u0963])", lambda match, language: f"{language.number(match[1])} {match[2]}"
    ),
    rule(NUMBER, _number),
]
