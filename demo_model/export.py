"""Write the two shipped folders: language_model/ (Hugging Face Llama form) and codec/ (SNAC form), in fp16."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from demo_model.blueprint import CODEC_CONFIG, LANGUAGE_MODEL_CONFIG, PROFILE
from demo_model.tokenizer import save_tokenizer

MAX_FILE_BYTES = 16_000_000


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write `content` as readable JSON."""
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def write_weights(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write `state` as fp16 safetensors; refuse a file too large to ship or a value fp16 cannot hold."""
    halves = {name: tensor.detach().cpu().to(torch.float16).contiguous() for name, tensor in state.items()}
    broken = [name for name, tensor in halves.items() if not torch.isfinite(tensor).all()]
    if broken:
        raise ValueError(f"not finite in fp16: {broken[:3]}")
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(halves, path, metadata={"format": "pt"})
    path.chmod(0o644)
    if path.stat().st_size > MAX_FILE_BYTES:
        raise ValueError(f"{path} has {path.stat().st_size} bytes, more than {MAX_FILE_BYTES}")


def export_language_model(
    state: Mapping[str, Tensor], folder: Path, sampling: Mapping[str, float] | None = None
) -> None:
    """Write config, weights, tokenizer and profile; `state` uses Hugging Face's names."""
    write_weights(folder / "model.safetensors", state)
    write_json(folder / "config.json", LANGUAGE_MODEL_CONFIG)
    write_json(folder / "profile.json", PROFILE | ({"sampling": dict(sampling)} if sampling else {}))
    save_tokenizer(folder)


def export_codec(state: Mapping[str, Tensor], folder: Path) -> None:
    """Write the codec's config and weights; `state` uses the snac package's names."""
    write_weights(folder / "model.safetensors", state)
    write_json(folder / "config.json", CODEC_CONFIG)
