"""What a model folder is: a checkpoint, whole or quantized, or an engine directory; from config and headers alone."""

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swara.errors import SetupError
from swara.profile import Profile, load_profile
from token_service.checkpoint import check_vocabulary, read_config
from token_service.footprint import Footprint, own_precision

QUANTIZED = {
    "FP8": "fp8",
    "FP8_PER_CHANNEL_PER_TOKEN": "fp8",
    "INT8": "int8",
    "W8A16": "int8",
    "W4A16_AWQ": "int4",
    "W4A16": "int4",
}
# A safetensors file begins with the length of its header.
LENGTH_BYTES = 8


@dataclass(frozen=True)
class Description:
    """A folder in words and numbers; `weights_on_disk_bytes` is 0 for an engine directory."""

    kind: str
    shape: Footprint
    precision: str
    kv_precision: str
    weights_on_disk_bytes: int
    profile: str
    detail: dict[str, Any]


def describe(folder: Path, built_in: str) -> Description:
    """Reads no weights; raises SetupError with a sentence for what is no model folder."""
    config = read_config(folder)
    engine = "pretrained_config" in config
    shape = Footprint.of(config["pretrained_config"] if engine else config)
    profile = _fitting_profile(folder, built_in, shape)
    precision, kv_precision = _engine_precisions(config) if engine else _checkpoint_precisions(folder, config)
    return Description(
        kind="TensorRT engine directory" if engine else "Hugging Face checkpoint",
        shape=shape,
        precision=precision,
        kv_precision=kv_precision,
        weights_on_disk_bytes=sum(_tensor_bytes(path) for path in folder.glob("*.safetensors")),
        profile=profile.name,
        detail=_engine_detail(config) if engine else {},
    )


def _fitting_profile(folder: Path, built_in: str, shape: Footprint) -> Profile:
    profile = load_profile(folder, built_in)
    check_vocabulary(profile, shape.vocabulary)
    return profile


def _engine_precisions(config: dict[str, Any]) -> tuple[str, str]:
    pretrained = config["pretrained_config"]
    quantization = pretrained.get("quantization") or {}
    own = own_precision(pretrained)
    return _named(quantization.get("quant_algo"), own), _named(quantization.get("kv_cache_quant_algo"), own)


def _checkpoint_precisions(folder: Path, config: dict[str, Any]) -> tuple[str, str]:
    own = own_precision(config)
    path = folder / "hf_quant_config.json"
    if not path.is_file():
        return own, own
    quantization = json.loads(path.read_text(encoding="utf-8")).get("quantization", {})
    return _named(quantization.get("quant_algo"), own), _named(quantization.get("kv_cache_quant_algo"), own)


def _named(algorithm: str | None, own: str) -> str:
    if algorithm is None:
        return own
    if algorithm not in QUANTIZED:
        raise SetupError(f"quantization {algorithm} is not one that Orpheus models are served in")
    return QUANTIZED[algorithm]


def _engine_detail(config: dict[str, Any]) -> dict[str, Any]:
    build = config.get("build_config", {})
    mapping = config["pretrained_config"].get("mapping", {})
    sizes = {name: build.get(name) for name in ("max_seq_len", "max_batch_size", "max_num_tokens")}
    return {"release": config.get("version"), "tensor_parallel": mapping.get("tp_size", 1), **sizes}


def _tensor_bytes(path: Path) -> int:
    """Bytes of all tensors of a safetensors file, by its header."""
    with path.open("rb") as file:
        head = file.read(LENGTH_BYTES)
        if len(head) < LENGTH_BYTES:
            raise SetupError(f"{path} is not a safetensors file: it is cut short")
        length = struct.unpack("<Q", head)[0]
        try:
            header = json.loads(file.read(length))
        except (ValueError, MemoryError, OverflowError):
            raise SetupError(f"{path} is not a safetensors file: its header cannot be read") from None
    ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
    return max(ends, default=0)
