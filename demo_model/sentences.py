"""Sentences composed from the project's own Hindi templates."""

import random
import re
import tomllib
from pathlib import Path

TEMPLATES = Path(__file__).with_name("templates_hi.toml")
JOINED_SHARE, JOINED_CHARACTERS = 0.12, 45


def fill(template: str, slots: dict[str, list[str]], draw: random.Random) -> str:
    """Put a value into every slot; a slot named with a 2 at its end takes another value of the same list."""
    used: dict[str, str] = {}

    def pick(match: re.Match[str]) -> str:
        name = match.group(1)
        used[name] = draw.choice([value for value in slots[name.rstrip("2")] if value not in used.values()])
        return used[name]

    return re.sub(r"\{(\w+)\}", pick, template)


def compose(count: int, seed: int) -> list[str]:
    """`count` different sentences, every template in turn; some get a short second one after a comma."""
    content = tomllib.loads(TEMPLATES.read_text(encoding="utf-8"))
    slots, templates = content["slots"], content["sentences"]["templates"]
    short = [template for template in templates if len(template) < JOINED_CHARACTERS]
    draw = random.Random(seed)
    made: dict[str, None] = {}
    while len(made) < count:
        for template in templates:
            sentence = fill(template, slots, draw)
            if draw.random() < JOINED_SHARE and sentence.endswith("।"):
                sentence = f"{sentence[:-1]}, {fill(draw.choice(short), slots, draw)}"
            made[sentence] = None
    return list(made)[:count]
