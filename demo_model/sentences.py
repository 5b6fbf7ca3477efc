"""Texts of the project's own, Hindi and English: sentences composed from templates, and utterances of a few words."""

import random
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

TEMPLATES = {language: Path(__file__).with_name(f"templates_{language}.toml") for language in ("hi", "en")}
SHORTS = Path(__file__).with_name("shorts.toml")
ENDS = {"hi": "।", "en": "."}
JOINED_SHARE, JOINED_CHARACTERS = 0.12, 45


@cache
def content(path: Path) -> dict[str, Any]:
    """One file of texts."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def fill(template: str, slots: dict[str, list[str]], draw: random.Random) -> str:
    """Put a value into every slot; a slot named with a 2 at its end takes another value of the same list."""
    used: dict[str, str] = {}

    def pick(match: re.Match[str]) -> str:
        name = match.group(1)
        used[name] = draw.choice([value for value in slots[name.rstrip("2")] if value not in used.values()])
        return used[name]

    return re.sub(r"\{(\w+)\}", pick, template)


def compose(count: int, seed: int, language: str = "hi") -> list[str]:
    """`count` different sentences, every template in turn; some get a short second one after a comma."""
    texts = content(TEMPLATES[language])
    slots, templates, end = texts["slots"], texts["sentences"]["templates"], ENDS[language]
    short = [template for template in templates if len(template) < JOINED_CHARACTERS]
    draw = random.Random(seed)
    made: dict[str, None] = {}
    while len(made) < count:
        for template in templates:
            sentence = capital(fill(template, slots, draw))
            if draw.random() < JOINED_SHARE and sentence.endswith(end):
                sentence = f"{sentence[:-1]}, {fill(draw.choice(short), slots, draw)}"
            made[sentence] = None
    return list(made)[:count]


def capital(sentence: str) -> str:
    """A sentence begins with a capital where its script has one."""
    return sentence[:1].upper() + sentence[1:]


def shorts(language: str, seed: int) -> list[str]:
    """Utterances of one to three words, each once with and once without an end mark, in a stable order."""
    texts, slots = content(SHORTS)[language], content(TEMPLATES[language])["slots"]
    draw = random.Random(seed)
    bare = [*texts["phrases"], *(value for name in texts["slots"] for value in slots[name])]
    bare += [fill(pattern, slots, draw) for pattern in texts["patterns"] for _ in range(12)]
    once = list(dict.fromkeys(bare))
    ended = [f"{text}{draw.choice([mark for mark in texts['marks'] if mark])}" for text in once]
    return [*once, *ended]
