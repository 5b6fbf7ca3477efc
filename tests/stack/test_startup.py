"""A service that cannot start says why in one sentence and exits with a code that is not 0."""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from swara.process import free_port
from swara.stack import WEIGHTS

MODEL = WEIGHTS / "language_model"
CODEC = WEIGHTS / "codec"


def start(service: str, **flags: object) -> tuple[int, str]:
    """Starts a service that should refuse to; returns its exit code and its last line."""
    given = {"address": f"127.0.0.1:{free_port()}", "metrics_port": free_port(), **flags}
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]
    done = subprocess.run(
        [sys.executable, "-m", service, *arguments], capture_output=True, encoding="utf-8", timeout=180
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr.strip().splitlines()[-1]


def assert_refuses(sentence: str, service: str, **flags: object) -> None:
    code, last_line = start(service, **flags)
    assert code == 2
    assert last_line.startswith("cannot start: ")
    assert sentence in last_line


def copied(source: Path, target: Path, **changes: object) -> Path:
    """A copy of a model folder whose profile.json says something else."""
    shutil.copytree(source, target)
    path = target / "profile.json"
    profile = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(profile | changes), encoding="utf-8")
    return target


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize("service", ["token_service", "audio_service"])
def test_a_folder_that_does_not_exist_is_named(service: str, tmp_path: Path) -> None:
    flag = "model" if service == "token_service" else "codec"
    assert_refuses("nowhere", service, **{flag: tmp_path / "nowhere"})


@pytest.mark.parametrize("service", ["token_service", "audio_service"])
def test_a_folder_without_a_model_is_named(service: str, tmp_path: Path) -> None:
    flag = "model" if service == "token_service" else "codec"
    assert_refuses(str(tmp_path), service, **{flag: tmp_path})


def test_an_engine_that_does_not_exist_is_named() -> None:
    assert_refuses("setting engine", "token_service", engine="whisper")


@pytest.mark.skipif(find_spec("vllm") is not None, reason="vllm is installed")
def test_an_engine_whose_package_is_missing_is_named() -> None:
    assert_refuses("engine vllm needs the package vllm, which is not installed", "token_service", engine="vllm")


def test_a_profile_that_contradicts_itself_is_explained(tmp_path: Path) -> None:
    folder = copied(MODEL, tmp_path / "model", slots=6)
    assert_refuses("slots must be 7, got 6", "token_service", model=folder)


def test_a_profile_that_contradicts_the_checkpoint_is_explained(tmp_path: Path) -> None:
    folder = copied(MODEL, tmp_path / "model", code_base_id=100_000)
    assert_refuses("vocab", "token_service", model=folder)


def test_a_model_whose_weights_are_broken_is_explained(tmp_path: Path) -> None:
    folder = copied(MODEL, tmp_path / "model")
    (folder / "model.safetensors").write_bytes(b"not weights")
    assert_refuses("model.safetensors", "token_service", model=folder)


def test_a_codec_whose_weights_are_broken_is_explained(tmp_path: Path) -> None:
    folder = tmp_path / "codec"
    shutil.copytree(CODEC, folder)
    (folder / "model.safetensors").write_bytes(b"not weights")
    assert_refuses("model.safetensors", "audio_service", codec=folder)


@pytest.mark.parametrize(
    ("service", "flags"),
    [("token_service", {"model": MODEL}), ("audio_service", {"codec": CODEC}), ("gateway", {"access": "open"})],
)
def test_a_port_that_is_taken_is_named(service: str, flags: dict[str, object], taken_port: int) -> None:
    address = f"127.0.0.1:{taken_port}"
    doors = {"http_address": f"127.0.0.1:{free_port()}"} if service == "gateway" else {}
    assert_refuses(address, service, **flags, **doors, address=address)


def test_an_http_port_that_is_taken_is_named(taken_port: int) -> None:
    assert_refuses(str(taken_port), "gateway", access="open", http_address=f"127.0.0.1:{taken_port}")


def test_a_metrics_port_that_is_taken_is_named(taken_port: int) -> None:
    doors = {"http_address": f"127.0.0.1:{free_port()}", "metrics_port": taken_port}
    assert_refuses(str(taken_port), "gateway", access="open", **doors)
