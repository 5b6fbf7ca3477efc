"""Codecs are loaded from where they are, and a wrong one is refused with a sentence."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from audio_service.codec import Codec, load_codec
from audio_service.stream import Voicing
from swara.errors import SetupError
from tests.audio_service.codecs import DEMO_CODEC, random_codes, whole_decode
from tests.programs import ran


@pytest.fixture
def config() -> dict[str, object]:
    loaded: dict[str, object] = json.loads((DEMO_CODEC / "config.json").read_text())
    return loaded


@pytest.fixture
def tensors() -> dict[str, torch.Tensor]:
    return load_file(DEMO_CODEC / "model.safetensors")


def folder_with(folder: Path, config: object, tensors: dict[str, torch.Tensor]) -> str:
    (folder / "config.json").write_text(json.dumps(config))
    save_file(tensors, folder / "model.safetensors")
    return str(folder)


def test_a_pytorch_file_loads_like_safetensors(
    codec: Codec, tmp_path: Path, config: object, tensors: dict[str, torch.Tensor]
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    torch.save(tensors, tmp_path / "pytorch_model.bin")
    codes = random_codes(2, codec.codebook_size)
    loaded = load_codec(str(tmp_path))
    assert np.array_equal(whole_decode(loaded, codes, Voicing(0)), whole_decode(codec, codes, Voicing(0)))


def test_a_codec_may_leave_its_encoder_out(tmp_path: Path, config: object, tensors: dict[str, torch.Tensor]) -> None:
    decoding = {name: tensor for name, tensor in tensors.items() if not name.startswith("encoder.")}
    assert load_codec(folder_with(tmp_path, config, decoding)).codebook_size == 1024


def test_the_fingerprint_follows_weights_and_config(
    codec: Codec, tmp_path: Path, config: object, tensors: dict[str, torch.Tensor]
) -> None:
    assert len(codec.fingerprint) == 64
    name = next(iter(tensors))
    changed = load_codec(folder_with(tmp_path, config, tensors | {name: tensors[name] + 1}))
    assert changed.fingerprint != codec.fingerprint
    assert load_codec(str(DEMO_CODEC)).fingerprint == codec.fingerprint


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"vq_strides": [8, 4, 2, 1]}, "need vq_strides"),
        ({"decoder_rates": [8, 8, 4, 4]}, "makes 4096"),
        ({"attn_window_size": 32}, "attention"),
        ({"decoder_dim": 512}, "does not hold the codec"),
        ({"nonsense": 1}, "does not hold the codec"),
    ],
)
def test_a_config_that_cannot_be_served_is_named(
    changes: dict[str, object],
    sentence: str,
    tmp_path: Path,
    config: dict[str, object],
    tensors: dict[str, torch.Tensor],
) -> None:
    with pytest.raises(SetupError, match=sentence):
        load_codec(folder_with(tmp_path, config | changes, tensors))


def test_a_checkpoint_without_a_decoder_is_named(
    tmp_path: Path, config: dict[str, object], tensors: dict[str, torch.Tensor]
) -> None:
    encoder = {name: tensor for name, tensor in tensors.items() if name.startswith("encoder.")}
    with pytest.raises(SetupError, match="tensors missing"):
        load_codec(folder_with(tmp_path, config, encoder))


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "has no config.json"),
        ({"config.json": "{"}, "is not JSON"),
        ({"config.json": '{"hidden_size": 256}'}, "does not describe a SNAC codec"),
        ({"config.json": (DEMO_CODEC / "config.json").read_text()}, "neither model.safetensors nor pytorch_model.bin"),
        ({"config.json": (DEMO_CODEC / "config.json").read_text(), "model.safetensors": "no"}, "does not hold"),
        ({"config.json": (DEMO_CODEC / "config.json").read_text(), "pytorch_model.bin": "no"}, "does not hold"),
    ],
)
def test_a_wrong_folder_is_named(files: dict[str, str], sentence: str, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(SetupError, match=sentence):
        load_codec(str(tmp_path))


def test_a_folder_that_is_not_there_is_named() -> None:
    with pytest.raises(SetupError, match="there is no codec folder /nowhere/at/all"):
        load_codec("/nowhere/at/all")


def test_a_service_that_cannot_start_says_why_and_exits_with_2() -> None:
    said = {
        ("--codec=/nowhere",): "cannot start: there is no codec folder /nowhere",
        ("--threads=0",): "cannot start: setting threads",
        ("--precision=bf16",): "cannot start: on the CPU the codec computes in fp32, not in bf16",
        ("--address=unix:/nowhere/at/all.sock", "--metrics-port=0"): "cannot start: cannot listen on",
    }
    ended = ran(*([sys.executable, "-m", "audio_service", *flags] for flags in said))
    for sentence, service in zip(said.values(), ended, strict=True):
        assert service.returncode == 2, sentence
        assert sentence in service.stderr
        assert "Traceback" not in service.stderr
