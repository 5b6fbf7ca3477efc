"""Words whose full stop does not end a sentence. Where it is not sure, it does not: a longer segment harms nobody."""

import tomllib
from importlib import resources

_WORDS = tomllib.loads((resources.files("gateway.text") / "abbreviations.toml").read_text(encoding="utf-8"))
TITLES, NUMBERED, LETTERS, CLOSING = (
    frozenset(_WORDS[kind].split()) for kind in ("titles", "numbered", "letters", "closing")
)
MAX_PART_CHARACTERS = 4


def is_open(word: str, following: str) -> bool:
    """Whether the full stop after the word leaves its sentence open; `following` is the next character."""
    word = word.lstrip("\"'“‘«([{<*_").casefold()
    if word in TITLES or word in LETTERS or (len(word) == 1 and word.isalpha()):
        return True
    if following.isdigit():
        return word in NUMBERED or word.isdigit()
    return _is_dotted(word) and word not in CLOSING


def _is_dotted(word: str) -> bool:
    """U.S.A, e.g, ई.पू: short parts with full stops between them."""
    parts = word.split(".")
    return (
        len(parts) > 1
        and not any(map(str.isdigit, word))
        and all(0 < len(part) <= MAX_PART_CHARACTERS for part in parts)
    )
