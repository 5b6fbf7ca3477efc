"""Which model this process serves: finding its folder, and the fingerprint that names exactly these weights."""

import hashlib
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from swara.errors import SetupError

FILES = ["config.json", "profile.json", "tokenizer.json", "*.safetensors", "*.safetensors.index.json"]
# Enough of a large file to tell two apart without reading gigabytes at every start: its header and first tensors.
HEAD_BYTES = 16 * 1024 * 1024


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
    """16 hex digits over config, profile, tokenizer, and each weight file's size and first 16 MiB."""
    digest = hashlib.sha256()
    for pattern in FILES:
        for path in sorted(folder.glob(pattern)):
            digest.update(f"{path.name}:{path.stat().st_size}:".encode())
            with path.open("rb") as file:
                digest.update(file.read(HEAD_BYTES))
    return digest.hexdigest()[:16]
