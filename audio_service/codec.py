"""Loads a SNAC codec, from a local folder or the Hugging Face hub, and says what is wrong with it when it cannot."""

import hashlib
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from safetensors.torch import load_file
from snac import SNAC

from swara.errors import SetupError
from swara.frames import SAMPLES_PER_FRAME

VQ_STRIDES = [4, 2, 1]
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
# The way from audio to codes, which a codec that only speaks may leave out.
ENCODING = re.compile(r"encoder\.|quantizer\.quantizers\.\d+\.in_proj\.")
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Codec:
    """The `snac` package's trained modules and the facts that callers check."""

    modules: Any
    fingerprint: str
    sample_rate_hz: int
    codebook_size: int


def load_codec(source: str) -> Codec:
    """A codec from a folder (config.json with model.safetensors or pytorch_model.bin) or hub id; raises SetupError."""
    folder = _folder(source)
    config = _config(folder)
    weights = _weights_file(folder)
    modules = _modules(config, weights)
    digest = hashlib.sha256((folder / "config.json").read_bytes() + weights.read_bytes())
    return Codec(modules, digest.hexdigest(), modules.sampling_rate, modules.codebook_size)


def _folder(source: str) -> Path:
    folder = Path(source)
    if folder.is_dir():
        return folder
    if not HUB_ID.fullmatch(source):
        raise SetupError(f"there is no codec folder {source}")
    try:
        return Path(snapshot_download(source, allow_patterns=["config.json", *WEIGHT_FILES]))
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SetupError(f"there is no codec folder {source}, and the hub did not give one: {reason}") from None


def _config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SetupError(f"codec folder {folder} has no config.json") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise SetupError(f"{path} is not JSON: {error}") from None
    if not isinstance(config, dict) or "decoder_rates" not in config or "vq_strides" not in config:
        raise SetupError(f"{path} does not describe a SNAC codec: it names no decoder_rates or no vq_strides")
    _check(config, path)
    return config


def _check(config: dict[str, Any], path: Path) -> None:
    if config["vq_strides"] != VQ_STRIDES:
        raise SetupError(f"{path}: frames of seven codes need vq_strides {VQ_STRIDES}, not {config['vq_strides']}")
    samples = math.prod(config["decoder_rates"]) * VQ_STRIDES[0]
    if samples != SAMPLES_PER_FRAME:
        raise SetupError(f"{path}: a frame must decode to {SAMPLES_PER_FRAME} samples, this codec makes {samples}")
    if config.get("attn_window_size", 32) is not None:
        raise SetupError(f"{path}: a codec with attention cannot be streamed; attn_window_size must be null")


def _weights_file(folder: Path) -> Path:
    for name in WEIGHT_FILES:
        if (folder / name).is_file():
            return folder / name
    raise SetupError(f"codec folder {folder} has neither {' nor '.join(WEIGHT_FILES)}")


def _modules(config: dict[str, Any], weights: Path) -> Any:
    try:
        modules = SNAC(**config)
        if weights.suffix == ".safetensors":
            tensors = load_file(weights)
        else:
            tensors = torch.load(weights, map_location="cpu", weights_only=True)
        missing, unknown = modules.load_state_dict(tensors, strict=False)
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise SetupError(f"{weights} does not hold the codec that its config.json describes: {reason}") from None
    missing = [name for name in missing if not ENCODING.match(name)]
    if missing or unknown:
        raise SetupError(
            f"{weights}: {len(missing)} tensors missing, {len(unknown)} unknown: {(missing + unknown)[:3]}"
        )
    return modules.float().eval().requires_grad_(False)
