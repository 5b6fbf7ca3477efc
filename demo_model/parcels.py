"""The teacher's recordings packed anew: parcels of bounded size, without the sources that shall not be trained on."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

from demo_model.recordings import read_transcripts
from demo_model.teacher import append_transcripts

Member = tuple[str, bytes]


def chosen_members(teacher: Path, names: set[str]) -> Iterator[Member]:
    """Every Ogg file of the folder whose id is wanted, in the order of tars and members."""
    for path in sorted(teacher.glob("*.tar")):
        with tarfile.open(path) as tar:
            for member in tar:
                data = tar.extractfile(member)
                if data is not None and Path(member.name).stem in names:
                    yield member.name, data.read()


def pack(teacher: Path, parcels: Path, without: set[str], parcel_bytes: int) -> list[int]:
    """Write parcels/NN/audio-NN.tar and, for each, its rows of transcripts.tsv; returns how many rows each has."""
    rows = {name: row for name, row in read_transcripts(teacher).items() if row["source"] not in without}
    counts: list[int] = []
    pending: list[Member] = []
    size = 0
    for member in chosen_members(teacher, set(rows)):
        if size + len(member[1]) > parcel_bytes:
            counts.append(write_parcel(parcels, len(counts), pending, rows))
            pending, size = [], 0
        pending.append(member)
        size += len(member[1]) + 1_024
    return [*counts, write_parcel(parcels, len(counts), pending, rows)]


def write_parcel(parcels: Path, number: int, members: list[Member], rows: dict[str, dict[str, str]]) -> int:
    """One tar with its transcript beside it."""
    folder = parcels / f"{number:02d}"
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(folder / f"audio-{number:02d}.tar", "w") as tar:
        for name, data in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    lines = [list(rows[Path(name).stem].values()) for name, _ in members]
    (folder / "transcripts.tsv").unlink(missing_ok=True)
    append_transcripts(folder / "transcripts.tsv", lines)
    return len(members)
