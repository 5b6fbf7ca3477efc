"""Let the teacher speak all items on several processes, and write the folder that training reads: tars of Ogg files and
transcripts.tsv. A run that was cut off goes on where it stopped."""

import csv
import io
import json
import multiprocessing
import tarfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import soundfile

from demo_model.blueprint import LANGUAGES, SAMPLE_RATE_HZ, TEACHER_VOICES
from demo_model.float_graph import float_graph
from demo_model.kokoro import Kokoro, Phonemes, Provider, assemble_model, fetch_voices
from demo_model.texts import Item

ITEMS_A_TAR = 700
MIN_SAMPLES = 3_000


@dataclass(frozen=True)
class Spoken:
    """A text with its phoneme ids: what speaks on a GPU machine needs no espeak-ng there."""

    item: Item
    ids: list[int]


@dataclass(frozen=True)
class Speaker:
    """Where the teacher's graph and voices lie, and what runs it."""

    model: Path
    voices: Path
    provider: Provider

    def speak(self, spoken: Spoken) -> tuple[Item, float, bytes]:
        """One text → its seconds and its Ogg/Opus file; no bytes where nothing was heard."""
        audio = session(self).speak(spoken.ids, spoken.item.voice)
        if len(audio) < MIN_SAMPLES:
            return spoken.item, 0.0, b""
        file = io.BytesIO()
        soundfile.write(file, audio, SAMPLE_RATE_HZ, format="OGG", subtype="OPUS")
        return spoken.item, len(audio) / SAMPLE_RATE_HZ, file.getvalue()


@cache
def session(speaker: Speaker) -> Kokoro:
    """This process's own session."""
    return Kokoro(speaker.model, speaker.voices, provider=speaker.provider)


def write_phonemes(items: list[Item], path: Path) -> None:
    """Every item and its phoneme ids."""
    phonemes = Phonemes()
    pairs = [(asdict(item), phonemes.ids(item.text, LANGUAGES[TEACHER_VOICES[item.voice]])) for item in items]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(pairs, ensure_ascii=False), encoding="utf-8")


def read_phonemes(path: Path) -> list[Spoken]:
    """What `write_phonemes` wrote."""
    return [Spoken(Item(**item), ids) for item, ids in json.loads(path.read_text(encoding="utf-8"))]


def speaker_for(folder: Path, provider: Provider) -> Speaker:
    """The teacher's files, fetched where they are missing; a GPU gets the float graph."""
    model, voices = assemble_model(folder), fetch_voices(folder)
    if provider == "cuda":
        model = float_graph(model, folder / "kokoro.float.onnx")
    return Speaker(model, voices, provider)


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


def speak_all(spoken: list[Spoken], speaker: Speaker, teacher: Path, processes: int, seconds: float) -> int:
    """Speak what no earlier run has spoken, tar by tar until the time is up; return how many tars there are now."""
    teacher.mkdir(parents=True, exist_ok=True)
    ends = time.monotonic() + seconds
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        for number, first in enumerate(range(0, len(spoken), ITEMS_A_TAR)):
            path = teacher / f"audio-{number:02d}.tar"
            if not path.exists() and time.monotonic() < ends:
                rows = write_tar(path, pool.map(speaker.speak, spoken[first : first + ITEMS_A_TAR]))
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
