"""Pipecat's and LiveKit's OpenAI plug-ins, unmodified, told only our address; `make test-clients` runs them."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from swara.pcm import from_bytes
from swara.stack import Stack
from tests.gateway.formats import RATE_HZ
from tests.stack.doors import SHORT, Asked, http_chunks, pcm_of

HERE = Path(__file__).parent
PYTHON = Path(os.environ.get("CLIENTS_PYTHON", HERE.parents[1] / ".venv-clients" / "bin" / "python"))
# The plug-ins send no seed: what they hear is compared in length, not in samples.
LENGTH_SECONDS = 0.8

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="make test-clients installs Pipecat and LiveKit")


def ran(stack: Stack, script: str, target: Path) -> dict[str, Any]:
    command = [PYTHON, HERE / script, f"http://{stack.http_address}/v1", SHORT, target]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def spoken_seconds(stack: Stack) -> float:
    return len(pcm_of(http_chunks(stack, Asked(SHORT)))) / 2 / RATE_HZ


def test_pipecats_service_speaks_in_its_pipeline(stack: Stack, tmp_path: Path) -> None:
    found = ran(stack, "pipecat_speaks.py", tmp_path / "pcm")
    heard = from_bytes((tmp_path / "pcm").read_bytes())
    assert found["errors"] == []
    assert len(heard) / RATE_HZ == pytest.approx(spoken_seconds(stack), abs=LENGTH_SECONDS)


def test_livekits_plugin_speaks_from_bare_audio_and_from_events(stack: Stack, tmp_path: Path) -> None:
    found = ran(stack, "livekit_speaks.py", tmp_path / "pcm")
    assert found["rate_hz"] == RATE_HZ
    for model in ("tts-1", "gpt-4o-mini-tts"):
        heard = from_bytes((tmp_path / f"pcm.{model}").read_bytes())
        assert len(heard) / RATE_HZ == pytest.approx(spoken_seconds(stack), abs=LENGTH_SECONDS)
