"""`swara decode`, as a user runs it, against the real audio service."""

from pathlib import Path

import numpy as np
import pytest

from swara.frames import SAMPLES_PER_FRAME, Codes
from swara.pcm import from_bytes
from swara.stack import Stack
from swara_client.decode import Decoding, decoded
from tests.swara_client.command import assert_one_sentence, samples_of, several, swara

FRAMES = 20


def codes_file(folder: Path, codes: object, name: str = "codes") -> Path:
    path = folder / f"{name}.npy"
    np.save(path, codes)
    return path


def random_codes() -> Codes:
    return np.random.default_rng(0).integers(0, 1024, (FRAMES, 7)).astype(np.uint16)


def test_a_file_of_codes_becomes_a_wav_file(stack: Stack, tmp_path: Path) -> None:
    path, out = codes_file(tmp_path, random_codes()), tmp_path / "out.wav"
    done = swara("decode", path, out, "--audio-address", stack.audio_address, "--seed", 4)
    assert done.returncode == 0
    assert len(samples_of(out)) == FRAMES * SAMPLES_PER_FRAME
    assert "20 frames, 1.71 s of audio" in done.stderr.decode()
    heard = np.concatenate(list(decoded(random_codes(), Decoding(seed=4), stack.audio_address)))
    assert np.abs(samples_of(out).astype(int) - heard).max() <= 1


@pytest.mark.parametrize("mode", ["exact", "early", "report"])
def test_every_mode_and_no_noise_give_every_sample_to_stdout(mode: str, stack: Stack, tmp_path: Path) -> None:
    path = codes_file(tmp_path, random_codes().astype(np.int64))
    done = swara("decode", path, "-", "--mode", mode, "--noise", "off", "--audio-address", stack.audio_address)
    assert done.returncode == 0
    assert len(from_bytes(done.stdout[44:])) == FRAMES * SAMPLES_PER_FRAME


BAD_CODES = {
    "floats": (np.zeros((2, 7)), "must hold whole numbers of shape [frames, 7], not float64 [2, 7]"),
    "a flat row": (np.zeros(14, np.uint16), "must hold whole numbers of shape [frames, 7], not uint16 [14]"),
    "no frames": (np.zeros((0, 7), np.uint16), "holds no frames"),
    "negative numbers": (np.full((1, 7), -3), "no codes: -3 to -3"),
    "objects": (np.array([[None] * 7]), "is not a .npy file of codes"),
}


def test_a_file_that_holds_no_codes_is_refused_with_a_sentence(tmp_path: Path) -> None:
    files = [codes_file(tmp_path, array, name) for name, (array, _) in BAD_CODES.items()]
    ended = several(*(["decode", path, tmp_path / f"out of {path.stem}.wav"] for path in files))
    for (_, sentence), done in zip(BAD_CODES.values(), ended, strict=True):
        assert_one_sentence(done, sentence)
    assert list(tmp_path.glob("out*")) == []


def test_codes_that_the_codec_does_not_have_are_refused_in_its_words(stack: Stack, tmp_path: Path) -> None:
    path, out = codes_file(tmp_path, np.full((3, 7), 4095)), tmp_path / "out.wav"
    done = swara("decode", path, out, "--audio-address", stack.audio_address)
    assert_one_sentence(done, "code 4095 is outside the codebook of 1024")
    assert list(tmp_path.glob("out*")) == []


def test_a_missing_file_an_empty_one_and_an_absent_service_are_told_in_a_sentence(tmp_path: Path) -> None:
    out, empty = tmp_path / "out.wav", tmp_path / "empty.npy"
    empty.touch()
    missing, nothing, alone = several(
        ["decode", tmp_path / "none.npy", out],
        ["decode", empty, out],
        ["decode", codes_file(tmp_path, random_codes()), out, "--audio-address", "127.0.0.1:1"],
    )
    assert_one_sentence(missing, "none.npy: No such file")
    assert_one_sentence(nothing, "empty.npy is not a .npy file of codes")
    assert_one_sentence(alone, "the audio service at 127.0.0.1:1 went away or cannot be reached")
    assert list(tmp_path.glob("out*")) == []
