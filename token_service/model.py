"""Which model this process serves: finding its folder, and the fingerprint that names exactly these weights."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from swara.errors import SetupError

FILES = [
    "config.json",
    "hf_quant_config.json",
    "profile.json",
    "tokenizer.json",
    "*.safetensors",
    "*.safetensors.index.json",
]
# Enough of a large file to tell two apart without reading gigabytes at every start: 16 MiB, from all over it. A
# fine-tune often leaves the first tensor as it was, the embedding, and changes something in every layer.
PIECES = 256
PIECE_BYTES = 64 * 1024


def model_folder(name: str) -> Path:
    """A local folder, or the snapshot of a hub id; raises SetupError where neither is to be had."""
    path = Path(name).expanduser()
    if path.is_dir():
        return path
    if path.is_absolute() or name.startswith((".", "~")) or name.count("/") != 1:
        raise SetupError(f"model {name!r} is neither a folder here nor a hub id like owner/name")
    try:
        return Path(snapshot_download(name, allow_patterns=FILES))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise SetupError(f"model {name!r} is no folder here and could not be fetched from the hub: {reason}") from None


def fingerprint(folder: Path) -> str:
    """16 hex digits over configs, profile, tokenizer, and each weight file's size and pieces from all over it."""
    digest = hashlib.sha256()
    for pattern in (*FILES, "*.engine"):
        for path in sorted(folder.glob(pattern)):
            digest.update(f"{path.name}:{path.stat().st_size}:".encode())
            for piece in _pieces(path):
                digest.update(piece)
    return digest.hexdigest()[:16]


def _pieces(path: Path) -> Iterator[bytes]:
    size = path.stat().st_size
    with path.open("rb") as file:
        if path.suffix == ".json" or size <= PIECES * PIECE_BYTES:
            yield file.read()
            return
        for piece in range(PIECES):
            file.seek(piece * (size - PIECE_BYTES) // (PIECES - 1))
            yield file.read(PIECE_BYTES)
