"""The examples for the HTTP door do what their README says."""

import os
import subprocess
import sys
from pathlib import Path

from swara.stack import Stack
from tests.gateway.formats import RATE_HZ, decoded

EXAMPLES = Path(__file__).parents[2] / "examples"


def ran(stack: Stack, *command: str | Path) -> str:
    environment = {**os.environ, "GATEWAY_URL": f"http://{stack.http_address}"}
    done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_curl_speaks_into_files_and_shows_the_last_event(stack: Stack, tmp_path: Path) -> None:
    shown = ran(stack, EXAMPLES / "curl" / "speak.sh", tmp_path)
    mp3 = decoded("mp3", (tmp_path / "speech.mp3").read_bytes())
    telephone = decoded("mulaw", (tmp_path / "speech.ulaw").read_bytes())
    assert abs(len(mp3) - len(telephone)) < 0.12 * RATE_HZ
    assert len(mp3) > RATE_HZ
    assert '"type": "speech.audio.done"' in shown


def test_openais_client_speaks_into_a_file(stack: Stack, tmp_path: Path) -> None:
    target = tmp_path / "speech.flac"
    shown = ran(stack, sys.executable, EXAMPLES / "python-openai" / "speak.py", "नमस्ते दोस्तों।", target)
    assert len(decoded("flac", target.read_bytes())) > RATE_HZ
    assert "first audio after" in shown
