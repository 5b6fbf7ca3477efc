"""Sentences kept out of every training step: the frozen list, and the split that respects it."""

import csv
import random
from dataclasses import dataclass
from pathlib import Path

from demo_model.blueprint import SAMPLE_RATE_HZ
from demo_model.recordings import Recording, text_hash

LIST = Path(__file__).with_name("heldout_hi.tsv")
ENGLISH_LIST = Path(__file__).with_name("heldout_en.tsv")
COUNT = 100
VALIDATION_SHARE = 1 / 50


@dataclass(frozen=True)
class Sentence:
    """One held-out sentence; `number` is its place in the frozen list, `teacher_seconds` how long the teacher took."""

    number: int
    voice: str
    source: str
    teacher_seconds: float
    text: str


def freeze(recordings: list[Recording], path: Path = LIST) -> None:
    """Choose the first COUNT natural sentences in the order of their hashes and write the list."""
    natural = {row.text: row for row in recordings if row.source in ("template", "help")}
    chosen = sorted(natural, key=text_hash)[:COUNT]
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", quoting=csv.QUOTE_NONE, lineterminator="\n")
        writer.writerow(["number", "voice", "source", "teacher_seconds", "text"])
        writer.writerows(
            [number, natural[text].voice, natural[text].source, seconds(natural[text]), text]
            for number, text in enumerate(chosen)
        )


def seconds(recording: Recording) -> str:
    """How long a recording is, for the list."""
    return f"{recording.length / SAMPLE_RATE_HZ:.2f}"


def read_heldout(path: Path = LIST) -> list[Sentence]:
    """The frozen list in its order."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [
            Sentence(int(row["number"]), row["voice"], row["source"], float(row["teacher_seconds"]), row["text"])
            for row in rows
        ]


def candidates(sentence: Sentence, sentences: list[Sentence], count: int = 10) -> list[str]:
    """The right text first, then `count - 1` wrong ones drawn by the sentence's number from the list."""
    others = [other.text for other in sentences if other.text != sentence.text]
    return [sentence.text, *random.Random(sentence.number).sample(others, count - 1)]


def split(recordings: list[Recording]) -> tuple[list[Recording], list[Recording], list[Recording]]:
    """Training, validation and held-out recordings; no text is in two of them."""
    kept_out = {sentence.text for path in (LIST, ENGLISH_LIST) for sentence in read_heldout(path)}
    heldout = [row for row in recordings if row.text in kept_out]
    rest = [row for row in recordings if row.text not in kept_out]
    in_validation = [int(text_hash(row.text)[-8:], 16) / 2**32 < VALIDATION_SHARE for row in rest]
    training = [row for row, out in zip(rest, in_validation, strict=True) if not out]
    validation = [row for row, out in zip(rest, in_validation, strict=True) if out]
    return training, validation, heldout
