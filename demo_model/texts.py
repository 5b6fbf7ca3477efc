"""What the teacher shall say: template sentences, sentences of LibreOffice's Hindi help, and lists of words."""

import html
import random
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from demo_model.blueprint import TEACHER_VOICES
from demo_model.heldout import read_heldout
from demo_model.recordings import clean_text, text_hash
from demo_model.sentences import compose

PACKAGES = ("libreoffice-help-hi", "hunspell-hi")
BLOCK = re.compile(r"<(p|h[1-6]|td|li)\b[^>]*>(.*?)</\1>", re.S)
TAG = re.compile(r"<[^>]+>")
SENTENCE_END = re.compile(r"(?<=[।?!])\s+")
FOREIGN = re.compile(r"[A-Za-z0-9०-९<>=/\\_%$#@*+]")
DEVANAGARI = re.compile(r"[\u0904-\u0939]")
MIN_LETTERS, MAX_CHARACTERS = 12, 140
FEMALE_SHARE = 0.6


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


def word_lists(debian: Path, count: int, draw: random.Random) -> list[str]:
    """`count` lists of 3 to 6 words of the spelling dictionary, for coverage of sounds."""
    lines = (debian / "usr/share/hunspell/hi_IN.dic").read_text(encoding="utf-8").splitlines()[1:]
    words = [line.split("/")[0].strip() for line in lines]
    words = [word for word in words if len(DEVANAGARI.findall(word)) >= 2]
    return [f"{', '.join(draw.sample(words, draw.randint(3, 6)))}।" for _ in range(count)]


def with_voices(texts: list[tuple[str, str]], draw: random.Random) -> Iterator[Item]:
    """Give each (source, text) a name and one of the voices."""
    female, male = TEACHER_VOICES
    for number, (source, text) in enumerate(texts):
        yield Item(f"{number:05d}", female if draw.random() < FEMALE_SHARE else male, source, text)


def collect(folder: Path, templates: int = 3_000, words: int = 2_600, seed: int = 1) -> list[Item]:
    """All items in random order. The held-out sentences are left out; the rest is shuffled by a fixed seed."""
    debian, draw = fetch_packages(folder), random.Random(seed)
    kept_out = {sentence.text for sentence in read_heldout()}
    texts = [("template", clean_text(text)) for text in compose(templates, seed)]
    texts += [("help", text) for text in help_sentences(debian)]
    texts += [("words", clean_text(text)) for text in word_lists(debian, words, draw)]
    texts = sorted((item for item in texts if item[1] not in kept_out), key=lambda item: text_hash(item[1]))
    return list(with_voices(texts, draw))
