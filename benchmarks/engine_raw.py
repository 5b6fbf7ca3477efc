"""vLLM's own async API as an engine to be measured: `benchmarks/vllm_raw.py` in a process of its own."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from benchmarks.engine_turns import READY_SECONDS, STOP_SECONDS, EngineLost
from benchmarks.token_service import SAMPLING
from swara.errors import SetupError

STDERR = 2


class RawUnderTest:
    """A line on its standard input asks for a row, and the row is a line of JSON in a pipe of its own: vLLM writes its
    log to standard output, the first lines while it is imported."""

    def __init__(self, flags: Sequence[str], text: str) -> None:
        if find_spec("vllm") is None:
            raise SetupError("vLLM is not installed")
        read_end, write_end = os.pipe()
        self._rows = os.fdopen(read_end, encoding="utf-8")
        given = [f"--text={text}", f"--sampling={json.dumps(SAMPLING)}", f"--rows={write_end}"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.vllm_raw", *given, *flags],
            stdin=subprocess.PIPE,
            stdout=STDERR,
            pass_fds=[write_end],
            encoding="utf-8",
            # With vLLM's own process; Ctrl-C in a terminal reaches neither before it is their turn to end.
            process_group=0,
        )
        os.close(write_end)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Raises SetupError if it ends before it is ready, or takes too long."""
        if not select.select([self._rows], [], [], READY_SECONDS)[0]:
            raise SetupError(f"vLLM by itself is not ready after {READY_SECONDS:g} s")
        if not self._rows.readline():
            raise SetupError(self._end_sentence())

    def row(self, streams: int, frames: int) -> dict[str, Any]:
        """Asks for a row and waits for it; raises EngineLost."""
        assert self._process.stdin
        with suppress(BrokenPipeError):
            print(streams, frames, file=self._process.stdin, flush=True)
        if not (answer := self._rows.readline()):
            raise EngineLost(self._end_sentence())
        row: dict[str, Any] = json.loads(answer)
        return row

    def stop(self) -> None:
        """The end of its input is its end; what it leaves behind, vLLM's own process, would keep its memory."""
        assert self._process.stdin
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._rows.close()

    def _end_sentence(self) -> str:
        return f"vLLM by itself ended with exit code {self._process.wait(STOP_SECONDS)}, the log above tells why"
