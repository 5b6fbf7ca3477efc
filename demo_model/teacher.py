"""Let the teacher speak all items on several processes, and write the folder that training reads: tars of Ogg files and
transcripts.tsv. A run that was cut off goes on where it stopped."""

import csv
import io
import tarfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import soundfile

from demo_model.blueprint import SAMPLE_RATE_HZ
from demo_model.kokoro import Kokoro, Phonemes, assemble_model, fetch_voices
from demo_model.texts import Item

ITEMS_A_TAR = 700
MIN_SAMPLES = 8_000


@cache
def speaker(model: Path, voices: Path) -> tuple[Phonemes, Kokoro]:
    """This process's own session."""
    return Phonemes(), Kokoro(model, voices)


def speak_item(work: tuple[Item, Path, Path]) -> tuple[Item, float, bytes]:
    """One item → its seconds and its Ogg/Opus file; no bytes where nothing was heard."""
    item, model, voices = work
    phonemes, kokoro = speaker(model, voices)
    audio = kokoro.speak(phonemes.ids(item.text), item.voice)
    if len(audio) < MIN_SAMPLES:
        return item, 0.0, b""
    file = io.BytesIO()
    soundfile.write(file, audio, SAMPLE_RATE_HZ, format="OGG", subtype="OPUS")
    return item, len(audio) / SAMPLE_RATE_HZ, file.getvalue()


def write_tar(path: Path, spoken: Iterator[tuple[Item, float, bytes]]) -> list[list[str]]:
    """Write one tar, whole or not at all; return its rows of the transcript."""
    rows, unfinished = [], path.with_suffix(".part")
    with tarfile.open(unfinished, "w") as tar:
        for item, seconds, data in spoken:
            if data:
                entry = tarfile.TarInfo(f"{item.name}.ogg")
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
                rows.append([item.name, item.voice, item.source, f"{seconds:.2f}", item.text])
    unfinished.rename(path)
    return rows


def speak_all(items: list[Item], work: Path, teacher: Path, processes: int) -> int:
    """Speak every item that no earlier run has spoken; return how many tars there are now."""
    model, voices = assemble_model(work / "kokoro"), fetch_voices(work / "kokoro")
    teacher.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(processes) as pool:
        for number, first in enumerate(range(0, len(items), ITEMS_A_TAR)):
            path = teacher / f"audio-{number:02d}.tar"
            if not path.exists():
                work_items = [(item, model, voices) for item in items[first : first + ITEMS_A_TAR]]
                rows = write_tar(path, pool.map(speak_item, work_items))
                append_transcripts(teacher / "transcripts.tsv", rows)
    return len(list(teacher.glob("*.tar")))


def append_transcripts(path: Path, rows: list[list[str]]) -> None:
    """Add rows, and the header where the file is new."""
    new = not path.exists()
    with open(path, "a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None, lineterminator="\n")
        if new:
            writer.writerow(["id", "voice", "source", "seconds", "text"])
        writer.writerows(rows)
