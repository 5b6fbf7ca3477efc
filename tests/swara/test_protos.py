"""Clients and services of one version understand those of the next: `buf breaking` sees to it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUF = Path(sys.executable).parent / "buf"


def breaking(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [BUF, "breaking", "--against", ROOT / "protos/released.binpb"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_the_protos_say_all_that_the_released_ones_said() -> None:
    done = breaking(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("string text = 1;", "string text = 21;"),
        ("string text = 1;", "bytes text = 1;"),
        ("rpc Synthesize(", "rpc Speak("),
    ],
    ids=["a field's number", "a field's type", "an RPC's name"],
)
def test_a_change_that_would_cut_off_older_clients_is_found(tmp_path: Path, old: str, new: str) -> None:
    shutil.copy(ROOT / "buf.yaml", tmp_path)
    shutil.copytree(ROOT / "protos", tmp_path / "protos")
    path = tmp_path / "protos/swara/v1/speech_service.proto"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    done = breaking(tmp_path)
    assert done.returncode == 100, done.stdout + done.stderr
