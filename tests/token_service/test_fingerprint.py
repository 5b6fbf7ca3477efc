"""The fingerprint names exactly these weights: other weights never have the same one."""

from pathlib import Path

import pytest

from token_service.model import PIECE_BYTES, PIECES, fingerprint

SAMPLED_BYTES = PIECES * PIECE_BYTES


def changed(folder: Path, name: str, size: int, at: int, length: int) -> tuple[str, str]:
    """The fingerprints of a folder with a file of so many zeros, and after so many of them have changed."""
    file = folder / name
    file.write_bytes(bytes(size))
    before = fingerprint(folder)
    with file.open("r+b") as stream:
        stream.seek(at)
        stream.write(b"\x01" * length)
    return before, fingerprint(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "rank0.engine", "hf_quant_config.json"])
def test_one_byte_of_a_small_file_is_enough(tmp_path: Path, name: str) -> None:
    before, after = changed(tmp_path, name, 1000, 999, 1)
    assert before != after


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_a_large_file_whose_beginning_is_the_same_is_told_apart(tmp_path: Path, share: float) -> None:
    size = 4 * SAMPLED_BYTES
    before, after = changed(tmp_path, "model.safetensors", size, int(share * size), 4 * PIECE_BYTES)
    assert before != after


def test_the_last_byte_of_a_large_file_counts(tmp_path: Path) -> None:
    size = 2 * SAMPLED_BYTES + 1
    before, after = changed(tmp_path, "model.safetensors", size, size - 1, 1)
    assert before != after


def test_a_large_tokenizer_is_read_to_its_end(tmp_path: Path) -> None:
    before, after = changed(tmp_path, "tokenizer.json", 2 * SAMPLED_BYTES, SAMPLED_BYTES + PIECE_BYTES, 1)
    assert before != after
