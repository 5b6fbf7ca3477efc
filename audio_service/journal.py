"""One log line when a stream opens and one when it closes, with the request id."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from audio_service.stream import Piece
from swara.errors import SwaraError
from swara.frames import SAMPLE_RATE_HZ
from swara.logs import request_log
from swara.stopwatch import Stopwatch


class Journal:
    """What the closing line tells."""

    def __init__(self) -> None:
        self._watch = Stopwatch()
        self._samples = 0

    def spoke(self, piece: Piece) -> None:
        """PCM has become final."""
        self._watch.mark("first PCM")
        self._samples += len(piece.samples)

    def summary(self) -> str:
        """Audio, time, time to the first PCM."""
        text = f"{self._samples / SAMPLE_RATE_HZ:.2f} s of audio in {self._watch.seconds:.2f} s"
        first_seconds = self._watch.at("first PCM")
        return text if first_seconds is None else f"{text}, first PCM after {1000 * first_seconds:.0f} ms"


@contextmanager
def journal(log: logging.Logger, what: str, request_id: str) -> Iterator[Journal]:
    """Logs the opening and, however it comes, the end of a stream."""
    lines, note = request_log(log, request_id), Journal()
    lines.info("%s opened", what)
    outcome = "broken"
    try:
        yield note
        outcome = "finished"
    except SwaraError as error:
        outcome = f"{error.label} ({error.sentence})"
        raise
    except (asyncio.CancelledError, GeneratorExit):
        outcome = "cancelled"
        raise
    finally:
        lines.info("%s closed: %s, %s", what, outcome, note.summary())
