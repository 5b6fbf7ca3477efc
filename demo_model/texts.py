"""What the teacher shall say: sentences and short utterances of the project's own, Hindi and English, and sentences of
LibreOffice's Hindi help."""

import html
import random
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from demo_model.blueprint import LANGUAGES, TEACHER_VOICES
from demo_model.heldout import ENGLISH_LIST, LIST, read_heldout
from demo_model.recordings import clean_text, text_hash
from demo_model.sentences import compose, shorts

PACKAGES = ("libreoffice-help-hi",)
BLOCK = re.compile(r"<(p|h[1-6]|td|li)\b[^>]*>(.*?)</\1>", re.S)
TAG = re.compile(r"<[^>]+>")
SENTENCE_END = re.compile(r"(?<=[।?!])\s+")
FOREIGN = re.compile(r"[A-Za-z0-9०-९<>=/\\_%$#@*+]")
DEVANAGARI = re.compile(r"[\u0904-\u0939]")
MIN_LETTERS, MAX_CHARACTERS = 12, 140
TEMPLATES = {"hi": 8_000, "en": 4_000}
"""Sentences composed a language; with the rest about 15 hours of speech."""


@dataclass(frozen=True)
class Item:
    """One text for one of the teacher's voices."""

    name: str
    voice: str
    source: str
    text: str


def fetch_packages(folder: Path) -> Path:
    """Download and unpack the Debian packages that hold texts; needs apt-get and dpkg."""
    target = folder / "debian"
    if not target.exists():
        target.mkdir(parents=True)
        subprocess.run(["apt-get", "download", *PACKAGES], cwd=target, check=True)
        for package in sorted(target.glob("*.deb")):
            subprocess.run(["dpkg", "-x", str(package), str(target)], check=True)
    return target


def help_sentences(debian: Path) -> list[str]:
    """Every Hindi sentence of the help pages without Latin letters, digits or symbols, in a stable order."""
    found: dict[str, None] = {}
    for page in sorted((debian / "usr/share/libreoffice/help/hi").rglob("*.html")):
        for _, block in BLOCK.findall(page.read_text(encoding="utf-8")):
            for sentence in SENTENCE_END.split(clean_text(html.unescape(TAG.sub("", block)))):
                if speakable(sentence):
                    found[sentence if sentence[-1] in "।?!" else f"{sentence.rstrip('.:,; ')}।"] = None
    return list(found)


def speakable(sentence: str) -> bool:
    """Hindi alone, and neither a crumb nor a paragraph."""
    letters = len(DEVANAGARI.findall(sentence))
    return letters >= MIN_LETTERS and len(sentence) <= MAX_CHARACTERS and not FOREIGN.search(sentence)


def voices_of(language: str) -> list[str]:
    """The teacher's voices that speak a language."""
    return [theirs for theirs, ours in TEACHER_VOICES.items() if LANGUAGES[ours] == language]


def natural_texts(language: str, debian: Path, seed: int) -> list[tuple[str, str]]:
    """Whole sentences as (source, text)."""
    texts = [("template", clean_text(text)) for text in compose(TEMPLATES[language], seed, language)]
    return texts + [("help", text) for text in help_sentences(debian)] if language == "hi" else texts


def in_voices(language: str, debian: Path, seed: int) -> Iterator[tuple[str, str, str]]:
    """(voice, source, text): a sentence in one of the language's voices, a short utterance in each."""
    draw, voices = random.Random(seed), voices_of(language)
    for source, text in natural_texts(language, debian, seed):
        yield draw.choice(voices), source, text
    for text in shorts(language, seed):
        for voice in voices:
            yield voice, "short", clean_text(text)


def collect(folder: Path, seed: int = 1) -> list[Item]:
    """All items, held-out sentences left out, in an order that no language, voice or source decides."""
    debian = fetch_packages(folder)
    kept_out = {sentence.text for path in (LIST, ENGLISH_LIST) for sentence in read_heldout(path)}
    texts = [item for language in TEMPLATES for item in in_voices(language, debian, seed) if item[2] not in kept_out]
    texts = sorted(dict.fromkeys(texts), key=lambda item: text_hash(f"{item[0]} {item[2]}"))
    return [Item(f"{number:05d}", *item) for number, item in enumerate(texts)]
