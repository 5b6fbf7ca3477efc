"""A checkpoint in pieces small enough to be carried one by one; a missing or broken piece is an error at loading."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import torch

PIECE_BYTES = 15 * 2**20


def save(state: dict[str, Any], folder: Path) -> int:
    """Write `state` as piece-00, piece-01, … and, last, index.json with their digests; returns the bytes written."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    data = buffer.getvalue()
    folder.mkdir(parents=True, exist_ok=True)
    digests = {}
    for number, first in enumerate(range(0, len(data), PIECE_BYTES)):
        piece, name = data[first : first + PIECE_BYTES], f"piece-{number:02d}"
        unfinished = folder / f"{name}.part"
        unfinished.write_bytes(piece)
        unfinished.rename(folder / name)
        digests[name] = hashlib.sha256(piece).hexdigest()
    (folder / "index.json").write_text(json.dumps(digests, indent=2) + "\n", encoding="utf-8")
    return len(data)


def load(folder: Path, device: torch.device) -> dict[str, Any]:
    """Read what `save` wrote; raises ValueError naming the piece that is not the one written."""
    digests = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    data = b""
    for name, digest in digests.items():
        piece = (folder / name).read_bytes()
        if hashlib.sha256(piece).hexdigest() != digest:
            raise ValueError(f"{folder / name} is not the piece that index.json speaks of")
        data += piece
    state: dict[str, Any] = torch.load(io.BytesIO(data), map_location=device, weights_only=True)
    return state
