"""The `swara` command as a user runs it: a program of its own, its exit code, and what it wrote."""

import os
import subprocess
import sys
import wave
from collections.abc import Sequence
from pathlib import Path

from swara.pcm import Samples, from_bytes
from tests.programs import at_once
from tests.stack.doors import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]


def command(*arguments: object) -> list[str]:
    """How this interpreter runs it."""
    return [sys.executable, "-m", "swara_client", *map(str, arguments)]


def swara(*arguments: object, text: bytes = b"", **environment: str) -> "subprocess.CompletedProcess[bytes]":
    """How it ended; `text` is its standard input."""
    return subprocess.run(
        command(*arguments),
        input=text,
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        timeout=PATIENCE_SECONDS,
    )


def several(*calls: Sequence[object]) -> list["subprocess.CompletedProcess[bytes]"]:
    """How each of these calls ended."""
    return at_once(lambda arguments: swara(*arguments), calls)


def samples_of(path: Path) -> Samples:
    """The samples of a WAV file."""
    with wave.open(str(path)) as file:
        return from_bytes(file.readframes(file.getnframes()))


def assert_one_sentence(done: "subprocess.CompletedProcess[bytes]", sentence: str, code: int = 1) -> None:
    """It failed with this, and said nothing else but its usage where that was wrong."""
    said = done.stderr.decode()
    assert done.returncode == code, sentence
    assert sentence in said
    assert "Traceback" not in said
    assert code == 2 or len(said.strip().splitlines()) == 1
