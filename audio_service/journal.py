"""One log line when a stream opens and one when it closes, with the request id; and its span, where traces are sent."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from audio_service.stream import Piece
from swara import tracing
from swara.errors import SwaraError, label_of
from swara.frames import SAMPLE_RATE_HZ
from swara.logs import request_log
from swara.stopwatch import Stopwatch
from swara.tracing import Trace


class Journal:
    """What the closing line tells."""

    def __init__(self, trace: Trace) -> None:
        self._watch = Stopwatch()
        self._samples = 0
        self._trace = trace

    def spoke(self, piece: Piece) -> None:
        """PCM has become final."""
        if self._watch.at("first PCM") is None:
            self._trace.stage("first_pcm", self._watch.started_seconds, self._watch.mark("first PCM"))
        self._samples += len(piece.samples)

    @property
    def audio_seconds(self) -> float:
        """PCM so far."""
        return self._samples / SAMPLE_RATE_HZ

    def summary(self) -> str:
        """Audio, time, time to the first PCM."""
        text = f"{self.audio_seconds:.2f} s of audio in {self._watch.seconds:.2f} s"
        first_seconds = self._watch.at("first PCM")
        return text if first_seconds is None else f"{text}, first PCM after {1000 * first_seconds:.0f} ms"


@contextmanager
def journal(log: logging.Logger, what: str, request_id: str) -> Iterator[Journal]:
    """Logs the opening and, however it comes, the end of a stream."""
    trace = tracing.begin(what, {"request_id": request_id})
    lines, note = request_log(log, request_id), Journal(trace)
    lines.info("%s opened", what)
    outcome = "finished"
    try:
        yield note
    except BaseException as error:
        outcome = f"{error.label} ({error.sentence})" if isinstance(error, SwaraError) else label_of(error)
        raise
    finally:
        lines.info("%s closed: %s, %s", what, outcome, note.summary())
        trace.end({"outcome": outcome, "audio_seconds": note.audio_seconds})
