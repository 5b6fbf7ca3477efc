"""A rule of the normaliser: what it finds, and how a language says it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from gateway.text.language import Language

# A number with or without commas and decimals; Devanagari digits have become 0 to 9 before any rule looks. It begins
# only where its digits do and gives nothing back, so that a long row of digits is gone through once.
NUMBER = r"(?<![0-9])[0-9]++(?:,[0-9]{2,3}(?![0-9]))*(?:\.[0-9]+)?"

# Letters that `re.IGNORECASE` takes for an i, and that no lower case turns into one.
OTHER_I = str.maketrans("İı", "ii")

Say = Callable[[re.Match[str], Language], str | None]


@dataclass(frozen=True)
class Rule:
    """`say` gives the words for a match, or None to leave it as it is written."""

    pattern: re.Pattern[str]
    say: Say


def rule(pattern: str, say: Say, flags: re.RegexFlag = re.NOFLAG) -> Rule:
    """A rule from a pattern's source."""
    return Rule(re.compile(pattern, flags), say)


def folded(found: str) -> str:
    """What a rule without regard to case has found, as the tables write it."""
    return found.translate(OTHER_I).casefold()


def word(name: str) -> Say:
    """Says always the same word of the language's table."""
    return lambda _, language: language.words[name]
