"""vLLM's own async API, which the vllm engine is measured against: a process that is asked for rows by lines."""

import os
import signal

import pytest

pytest.importorskip("vllm", reason="vllm is not installed")

from benchmarks.engine_raw import RawUnderTest
from benchmarks.engine_turns import EngineLost, started
from swara.errors import SetupError

START_SECONDS = 240
FLAGS = [
    *("--model=demo_model/weights/language_model", "--precision=fp32"),
    *("--max-streams=2", "--reserve-streams=0", "--context-tokens=256"),
]
TEXT = "नमस्ते"


@pytest.mark.timeout(START_SECONDS)
def test_it_gives_a_row_when_it_is_asked_and_says_so_when_it_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    # vLLM writes to standard output while it is imported: no row, and no sign of being ready.
    monkeypatch.setenv("VLLM_LOGGING_LEVEL", "DEBUG")
    with started(lambda: RawUnderTest(FLAGS, TEXT)) as raw:
        rows = [raw.row(streams, frames=4) for streams in (1, 2)]
        assert all(row["tokens_per_second_per_stream"] > 0 and row["cpu_us_per_frame"] > 0 for row in rows)
        os.kill(raw.pid, signal.SIGKILL)
        with pytest.raises(EngineLost, match="ended with exit code -9"):
            raw.row(1, frames=4)


@pytest.mark.timeout(START_SECONDS)
def test_a_model_that_it_cannot_load_ends_it_before_it_is_ready() -> None:
    with (
        pytest.raises(SetupError, match="ended with exit code"),
        started(lambda: RawUnderTest(["--model=/nowhere"], TEXT)),
    ):
        pass
