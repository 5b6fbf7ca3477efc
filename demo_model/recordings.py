"""Teacher recordings: a folder of tars of Ogg files and transcripts.tsv becomes one flat array and a table."""

import csv
import hashlib
import io
import json
import tarfile
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from demo_model.blueprint import TEACHER_VOICES

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Recording:
    """One utterance: where its samples lie in the flat array, who speaks, and what."""

    name: str
    voice: str
    source: str
    text: str
    start: int
    length: int


def clean_text(text: str) -> str:
    """NFC, single spaces, and no full stop in front of a danda."""
    return unicodedata.normalize("NFC", " ".join(text.replace(".।", "।").split()))


def text_hash(text: str) -> str:
    """A stable order over texts that nobody chose by hand."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_transcripts(teacher: Path) -> dict[str, dict[str, str]]:
    """Rows of transcripts.tsv by id, texts cleaned."""
    with open(teacher / "transcripts.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {row["id"]: row | {"text": clean_text(row["text"])} for row in rows}


def ogg_files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Every Ogg file in one tar as (id, its bytes)."""
    with tarfile.open(path) as tar:
        for member in tar:
            if member.name.endswith(".ogg"):
                data = tar.extractfile(member)
                assert data is not None
                yield Path(member.name).stem, data.read()


def decode_ogg(file: tuple[str, bytes]) -> tuple[str, Samples]:
    """One Ogg file as (id, int16 samples at 24 kHz)."""
    samples, _ = soundfile.read(io.BytesIO(file[1]), dtype="int16")
    return file[0], samples


def decode_all(teacher: Path, processes: int) -> Iterator[tuple[str, Samples]]:
    """All recordings of the folder, in the order of tars and members."""
    with ProcessPoolExecutor(processes) as pool:
        for tar in sorted(teacher.glob("*.tar")):
            yield from pool.map(decode_ogg, ogg_files(tar), chunksize=32)


def unpack(teacher: Path, work: Path, processes: int) -> int:
    """Write work/recordings.npy (flat int16) and work/recordings.json; return the number of recordings."""
    transcripts = read_transcripts(teacher)
    pieces: list[Samples] = []
    table: list[Recording] = []
    start = 0
    for name, samples in decode_all(teacher, processes):
        row = transcripts[name]
        table.append(Recording(name, TEACHER_VOICES[row["voice"]], row["source"], row["text"], start, len(samples)))
        pieces.append(samples)
        start += len(samples)
    work.mkdir(parents=True, exist_ok=True)
    np.save(work / "recordings.npy", np.concatenate(pieces))
    (work / "recordings.json").write_text(
        json.dumps([asdict(row) for row in table], ensure_ascii=False), encoding="utf-8"
    )
    return len(table)


def load_recordings(work: Path) -> tuple[Samples, list[Recording]]:
    """The flat samples (memory-mapped) and the table."""
    table = json.loads((work / "recordings.json").read_text(encoding="utf-8"))
    return np.load(work / "recordings.npy", mmap_mode="r"), [Recording(**row) for row in table]
