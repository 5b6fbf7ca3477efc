"""Signs between words, roman numerals, and letters that touch digits."""

import re

from gateway.text.language import Language
from gateway.text.rule import rule, word

ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
# After these a roman numeral is one for sure: Chapter IV, World War II, भाग II; after a ruler's name a place in a row.
PARTS = "[Cc]hapter|[Pp]art|[Vv]olume|[Ss]ection|[Pp]hase|[Ww]ar|[Aa]ct|[Bb]ook|[Cc]lass|अध्याय|भाग|खंड|कक्षा|युद्ध"
RULERS = "Elizabeth|Henry|Louis|George|Charles|William|Edward|James|Richard|Philip|Napoleon|Nicholas|Catherine"
NUMERAL = r"(X{0,3}(?:IX|IV|V?I{0,3}))(?<=[IVX])(?!\w)"


def _part(match: re.Match[str], language: Language) -> str:
    return f"{match[1]} {language.cardinal(_roman(match[2]))}"


def _ruler(match: re.Match[str], language: Language) -> str:
    return f"{match[1]} the {language.ordinal(_roman(match[2]))}"


def _roman(numeral: str) -> int:
    values = [ROMAN[letter] for letter in numeral]
    return sum(-value if value < after else value for value, after in zip(values, [*values[1:], 0], strict=True))


NUMERALS = [rule(rf"(?<!\w)({PARTS}) {NUMERAL}", _part), rule(rf"(?<!\w)({RULERS}) {NUMERAL}", _ruler)]
TOUCHING = [rule(r"(?<=[A-Za-z])-?(?=[0-9])|(?<=[0-9])-?(?=[A-Za-z])", lambda *_: "")]
RULES = [
    rule(r"#(?=[0-9])|(?<!\w)(?:[Nn]os?|सं|क्र|नं)\. ?(?=[0-9])", word("number")),
    rule(r"#(?=\w)", word("hashtag")),
    rule(r"[~≈](?= ?[0-9])", word("about")),
    rule(r"(?<=[0-9]) ?< ?(?=[0-9])", word("less")),
    rule(r"(?<=[0-9]) ?> ?(?=[0-9])", word("greater")),
    rule("²", word("squared")),
    rule("³", word("cubed")),
    rule(r"[&＆]", word("and")),
    rule(r"@", word("at")),
    rule(r"[+＋]", word("plus")),
    rule(r"=", word("equals")),
    rule(r"%", word("percent")),
    rule(r"°", lambda _, language: language.units["°"][1]),
    rule(r" ?[|•·→] ?", lambda *_: ", "),
    rule(r"[_/\\^`~{}*<>©®™#]+", lambda *_: " "),
]
