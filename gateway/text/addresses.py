"""What names a place to reach somebody: e-mail, web addresses, telephone numbers, versions and IP addresses."""

import re

from gateway.text.language import Language
from gateway.text.rule import rule

ENDINGS = "com|org|net|edu|gov|in|co|io|ai|dev|app|info|uk|us"
EMAIL = r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
URL = r"(?:https?://|www\.)[^\s<>\"'।]+"
HOST = rf"(?<![\w@.-])(?:[A-Za-z0-9-]+\.)+(?:{ENDINGS})(?![\w-])(?:/[^\s<>\"'।]*)?"
PHONE = (
    r"(?<![\w.,+-])(?:\+[0-9]{1,3}(?:[ -]?\(?[0-9]{2,5}\)?){2,5}"  # international
    r"|[6-9][0-9]{4}[ -]?[0-9]{5}|0[0-9]{2,4}[ -][0-9]{6,8}"  # Indian mobile and landline
    r"|1[89]00(?:[ -][0-9]{2,4}){2,3}|\(?[0-9]{3}\)?[ -][0-9]{3}-[0-9]{4})(?![0-9])"  # toll-free, American
)
DOTTED = r"(?<![0-9.])[0-9]+(?:\.[0-9]+){2,}(?![0-9])"
SIGNS = {".": "dot", "@": "at", "/": "slash", "-": "hyphen", "_": "underscore", "+": "plus"}
PART = re.compile(r"[./@_+-]|[^./@_+-]+")
BEFORE_HOST = re.compile(r"^(?:https?://)?(?:www\.)?", re.IGNORECASE)
PUNCTUATION = ".,;:!?)]}…"


def _email(match: re.Match[str], language: Language) -> str:
    return _spelled(match[0], language)


def _url(match: re.Match[str], language: Language) -> str:
    """Host and path; the scheme, the query and the fragment are for machines."""
    address = match[0].rstrip(PUNCTUATION)
    kept = re.split("[?#]", BEFORE_HOST.sub("", address))[0].rstrip("/")
    return _spelled(kept, language) + match[0][len(address) :]


def _spelled(address: str, language: Language) -> str:
    parts = PART.findall(address)
    return " ".join(language.words[SIGNS[part]] if part in SIGNS else part for part in parts)


def _phone(match: re.Match[str], language: Language) -> str:
    groups = ", ".join(language.digits(group) for group in re.findall("[0-9]+", match[0]))
    return f"{language.words['plus']} {groups}" if match[0][0] == "+" else groups


def _dotted(match: re.Match[str], language: Language) -> str:
    return f" {language.words['dot']} ".join(map(language.number, match[0].split(".")))


RULES = [
    rule(EMAIL, _email),
    rule(URL, _url, re.IGNORECASE),
    rule(HOST, _url),
    rule(PHONE, _phone),
]
VERSIONS = [rule(DOTTED, _dotted)]
