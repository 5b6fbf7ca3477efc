"""`swara batch`: speaks many texts, one a line, many at once; what exists already is not spoken again."""

import argparse
import asyncio
import io
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from swara_client.access import tls_of
from swara_client.aio import AsyncClient
from swara_client.errors import Full, SpeechError
from swara_client.request import Choices, choices_of
from swara_client.room import Room
from swara_client.say import text_of
from swara_client.show import Bar, expected_seconds, note
from swara_client.wav import WavFile

# A server that takes none of our texts for this long is not merely busy.
PATIENCE_SECONDS = 300.0
RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class Line:
    """One text and the file its speech goes to."""

    number: int
    text: str
    target: Path


@dataclass
class Tally:
    """What has been done so far."""

    expected_seconds: float
    began_seconds: float = field(default_factory=time.perf_counter)
    spoken: int = 0
    failed: int = 0
    audio_seconds: float = 0.0

    @property
    def passed_seconds(self) -> float:
        """Seconds since the batch began."""
        return time.perf_counter() - self.began_seconds


class Batch:
    """Speaks lines until none is left."""

    def __init__(self, client: AsyncClient, given: argparse.Namespace, lines: list[Line], tally: Tally) -> None:
        self._client = client
        self._choices: Choices = {**choices_of(given), "priority": "batch"}
        self._timeout_seconds: float | None = given.timeout
        self._waiting = deque(lines)
        self._tally = tally
        self._room = Room(given.jobs)
        self._changed = asyncio.Event()
        self._last_room_seconds = time.perf_counter()

    async def run(self, bar: Bar) -> None:
        """Keeps as many running as the server takes."""
        async with asyncio.TaskGroup() as group:
            while self._waiting or self._room.running:
                if self._waiting and self._room.free:
                    self._room.enter()
                    group.create_task(self._try(self._waiting.popleft(), bar))
                else:
                    await self._changed.wait()
                    self._changed.clear()

    async def _try(self, line: Line, bar: Bar) -> None:
        try:
            # Not in one line: what others add meanwhile would be lost.
            seconds = await self._speak(line)
            self._tally.audio_seconds += seconds
            self._tally.spoken += 1
            self._leave()
        except Full as error:
            await self._put_back_or_fail(line, error, bar)
        except (SpeechError, OSError) as error:
            self._fail(line, error, bar)
            self._leave()
        self._changed.set()
        bar.update(self._tally.audio_seconds, self._tally.passed_seconds)

    async def _speak(self, line: Line) -> float:
        """Speaks one line into its file; returns its seconds of audio."""
        async with await self._client.synthesize(
            line.text, timeout_seconds=self._timeout_seconds, **self._choices
        ) as speech:
            with WavFile(str(line.target), speech.started.sample_rate_hz) as file:
                async for samples in speech:
                    file.write(samples)
            return speech.audio_seconds

    async def _put_back_or_fail(self, line: Line, error: Full, bar: Bar) -> None:
        if time.perf_counter() - self._last_room_seconds > PATIENCE_SECONDS:
            self._fail(line, error, bar)
        else:
            self._waiting.appendleft(line)
            if self._room.running == 1:
                # Others fill the server: nothing of ours will end and make room.
                await asyncio.sleep(error.retry_after_seconds or RETRY_SECONDS)
        self._room.refused()

    def _leave(self) -> None:
        self._last_room_seconds = time.perf_counter()
        self._room.leave()

    def _fail(self, line: Line, error: Exception, bar: Bar) -> None:
        self._tally.failed += 1
        bar.clear()
        note(f"line {line.number} failed: {error}")


def batch(given: argparse.Namespace) -> int:
    """Runs the command; returns its exit code."""
    folder = Path(given.folder)
    lines = list(lines_of(Path(given.texts), folder))
    folder.mkdir(parents=True, exist_ok=True)
    todo = [line for line in lines if not line.target.exists()]
    tally = Tally(expected_seconds=sum(expected_seconds(line.text) for line in todo))
    asyncio.run(_speak_all(given, todo, tally))
    _report(tally, skipped=len(lines) - len(todo))
    return 1 if tally.failed else 0


def lines_of(texts: Path, folder: Path) -> Iterator[Line]:
    """The texts of a file, one a line, blank lines left out; files are named by line number, so that they stay."""
    # Lines as editors count them: the other separators of Unicode are characters of a text.
    rows = list(io.StringIO(text_of(texts.read_bytes(), str(texts)), newline=None))
    digits = max(4, len(str(len(rows))))
    for number, row in enumerate(rows, start=1):
        if text := row.strip():
            yield Line(number, text, folder / f"{number:0{digits}}.wav")


async def _speak_all(given: argparse.Namespace, todo: list[Line], tally: Tally) -> None:
    async with AsyncClient(given.address, tls=tls_of(given)) as client:
        with Bar(tally.expected_seconds) as bar:
            await Batch(client, given, todo, tally).run(bar)


def _report(tally: Tally, skipped: int) -> None:
    factor = tally.audio_seconds / tally.passed_seconds
    note(
        f"{tally.spoken} texts spoken, {skipped} there already, {tally.failed} failed: {tally.audio_seconds:.1f} s of "
        f"speech in {tally.passed_seconds:.1f} s, real-time factor {factor:.2f}"
    )
