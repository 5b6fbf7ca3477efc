"""`python -m swara.pair`: token service and audio service in one container, which live and end together."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from swara.process import free_port, grpc_ready
from swara.stack import WEIGHTS
from tests.stack.doors import wait_until

READY_SECONDS = 120
ENDED_SECONDS = 60


@contextmanager
def pair(folder: Path, **settings: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The supervisor, and the audio service's address."""
    address = f"127.0.0.1:{free_port()}"
    environment = {
        "SWARA_TOKEN_ADDRESS": f"unix:{folder}/token.sock",
        "SWARA_TOKEN_METRICS_PORT": str(free_port()),
        "SWARA_TOKEN_MODEL": str(WEIGHTS / "language_model"),
        "SWARA_AUDIO_ADDRESS": address,
        "SWARA_AUDIO_METRICS_PORT": str(free_port()),
        "SWARA_AUDIO_CODEC": str(WEIGHTS / "codec"),
        "SWARA_AUDIO_TOKEN_ADDRESS": f"unix:{folder}/token.sock",
        **settings,
    }
    command = [sys.executable, "-m", "swara.pair"]
    started = subprocess.Popen(command, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True)
    try:
        yield started, address
    finally:
        started.kill()
        started.wait()


def wait_until_ready(*addresses: str) -> None:
    for address in addresses:
        wait_until(lambda address=address: grpc_ready(address), READY_SECONDS)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_both_serve_and_both_end_with_code_0_when_told_to() -> None:
    with tempfile.TemporaryDirectory() as folder, pair(Path(folder)) as (supervisor, address):
        wait_until_ready(address, f"unix:{folder}/token.sock")
        both = children(supervisor.pid)
        supervisor.send_signal(signal.SIGTERM)
        _, said = supervisor.communicate(timeout=ENDED_SECONDS)
        assert supervisor.returncode == 0, said
        assert len(both) == 2
        assert not any(Path(f"/proc/{pid}").exists() for pid in both)


def test_when_one_dies_the_other_is_ended_too_and_the_exit_code_says_so() -> None:
    with tempfile.TemporaryDirectory() as folder, pair(Path(folder)) as (supervisor, address):
        wait_until_ready(address, f"unix:{folder}/token.sock")
        audio, token = children(supervisor.pid)
        os.kill(token, signal.SIGKILL)
        _, said = supervisor.communicate(timeout=ENDED_SECONDS)
        assert supervisor.returncode == 1
        assert "token_service ended with exit code -9" in said
        assert not Path(f"/proc/{audio}").exists()


def test_one_that_cannot_start_ends_the_pair_with_its_sentence() -> None:
    with tempfile.TemporaryDirectory() as folder, pair(Path(folder), SWARA_TOKEN_MODEL="/nowhere") as (supervisor, _):
        _, said = supervisor.communicate(timeout=READY_SECONDS)
        assert supervisor.returncode == 1
        assert "token_service ended with exit code 2" in said
        assert "'/nowhere' is neither a folder here nor a hub id" in said
