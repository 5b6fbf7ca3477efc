"""`swara batch`: speaks many texts, one a line, many at once; what exists already is not spoken again."""

import argparse
import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from swara_client.aio import AsyncClient
from swara_client.errors import Full, SpeechError
from swara_client.request import Choices, choices_of
from swara_client.say import text_of
from swara_client.show import Bar, expected_seconds, note
from swara_client.wav import WavFile

# The server says when to come back; a line that is refused this long counts as failed.
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


@dataclass(frozen=True)
class Speaker:
    """Speaks lines into their files; one client serves all."""

    client: AsyncClient
    choices: Choices
    timeout_seconds: float | None

    async def speak(self, line: Line) -> float:
        """Speaks one line; returns its seconds of audio. Raises SpeechError and OSError."""
        async with await self.client.synthesize(
            line.text, timeout_seconds=self.timeout_seconds, **self.choices
        ) as speech:
            with WavFile(str(line.target), speech.started.sample_rate_hz) as file:
                async for samples in speech:
                    file.write(samples)
            return speech.audio_seconds

    async def speak_when_there_is_room(self, line: Line) -> float:
        """The same, but comes back for as long as the server is full and patience lasts."""
        give_up_seconds = time.perf_counter() + PATIENCE_SECONDS
        while True:
            try:
                return await self.speak(line)
            except Full as error:
                if time.perf_counter() > give_up_seconds:
                    raise
                await asyncio.sleep(error.retry_after_seconds or RETRY_SECONDS)


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
    rows = text_of(texts.read_bytes(), str(texts)).splitlines()
    digits = max(4, len(str(len(rows))))
    for number, row in enumerate(rows, start=1):
        if text := row.strip():
            yield Line(number, text, folder / f"{number:0{digits}}.wav")


async def _speak_all(given: argparse.Namespace, todo: list[Line], tally: Tally) -> None:
    waiting = iter(todo)
    with Bar(tally.expected_seconds) as bar:

        async def work(speaker: Speaker) -> None:
            for line in waiting:
                await _speak_or_report(speaker, line, tally, bar)

        async with AsyncClient(given.address) as client, asyncio.TaskGroup() as group:
            speaker = Speaker(client, {**choices_of(given), "priority": "batch"}, given.timeout)
            for _ in range(min(given.jobs, len(todo))):
                group.create_task(work(speaker))


async def _speak_or_report(speaker: Speaker, line: Line, tally: Tally, bar: Bar) -> None:
    try:
        tally.audio_seconds += await speaker.speak_when_there_is_room(line)
        tally.spoken += 1
    except (SpeechError, OSError) as error:
        tally.failed += 1
        bar.clear()
        note(f"line {line.number} failed: {error}")
    bar.update(tally.audio_seconds, tally.passed_seconds)


def _report(tally: Tally, skipped: int) -> None:
    factor = tally.audio_seconds / tally.passed_seconds
    note(
        f"{tally.spoken} texts spoken, {skipped} there already, {tally.failed} failed: {tally.audio_seconds:.1f} s of "
        f"speech in {tally.passed_seconds:.1f} s, real-time factor {factor:.2f}"
    )
