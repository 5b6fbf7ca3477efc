"""What one listener hears, as a player at the gateway's edge would play it, told to the metrics while it happens."""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.events import Timings, Writer
from gateway.metrics import Door, GatewayMetrics, Heard, Stage
from swara import tracing
from swara.pcm import from_bytes
from swara.player import Player
from swara.stopwatch import Stopwatch


class Hearing:
    """One listener of one synthesis, until `finish`; `arrival` began when the request came.

    Where the text is being written, a sound that stopped before its text came is no gap: it begins anew.
    """

    def __init__(
        self,
        metrics: GatewayMetrics,
        door: Door,
        model: str,
        player: Player,
        arrival: Stopwatch,
        writer: Writer | None = None,
    ) -> None:
        self._metrics = metrics
        self._door = door
        self._labels = (door.value, model)
        self._player = player
        self._arrival = arrival
        self._writer = writer
        self._trace = tracing.current()
        self._taken_seconds: float | None = None
        self._encode_seconds = 0.0
        self._write_seconds = 0.0
        metrics.show_model(door, model)
        # Looked up once: each chunk counts here.
        self._audio_seconds = metrics.audio_seconds.labels(*self._labels)
        metrics.hearings.add(self)

    @property
    def stalled(self) -> bool:
        """Whether the sound has stopped and waits for speech."""
        if self._writer is not None and self._writer.may_be_awaited:
            return False
        return self._player.slack_seconds(self._arrival.seconds) < 0 and not self._waits_for_text

    @property
    def _waits_for_text(self) -> bool:
        """Whether the sound had stopped before its text came, or stops while nothing is written."""
        if self._writer is None:
            return False
        return self._player.slack_seconds(self._arrival.seconds - self._writer.since_awaited_seconds) < 0

    def hear(self, pcm: bytes) -> None:
        """The listener takes a chunk."""
        now, metrics = self._arrival.seconds, self._metrics
        if self._waits_for_text:
            self._player.rest()
        elif self._taken_seconds is not None:
            metrics.waited(self._door, now - self._taken_seconds)
        self._taken_seconds = now
        had_heard, underruns, held = self._has_heard, self._player.underruns, self._player.held_seconds
        self._player.feed(now, from_bytes(pcm))
        if self._has_heard and not had_heard:
            metrics.first_audio.labels(*self._labels).observe(now, self._trace.exemplar)
            self._trace.stage("first_audio", self._arrival.started_seconds, now)
        if self._player.underruns > underruns:
            metrics.underruns.labels(*self._labels).inc()
        self._audio_seconds.inc(self._player.held_seconds - held)
        metrics.sent(self._door, len(pcm))

    @property
    def _has_heard(self) -> bool:
        return self._player.first_audio_seconds is not None

    @contextmanager
    def encoding(self) -> Iterator[None]:
        """The block puts speech into the listener's format."""
        began = self._arrival.seconds
        try:
            yield
        finally:
            self._encode_seconds += self._arrival.seconds - began

    @contextmanager
    def delivering(self) -> Iterator[None]:
        """The block gives a chunk to the listener; what of it is encoding counts as that."""
        began, encoded = self._arrival.seconds, self._encode_seconds
        try:
            yield
        finally:
            self._write_seconds += self._arrival.seconds - began - (self._encode_seconds - encoded)

    def timed(self, timings: Timings) -> None:
        """The services behind say where their time went; listeners of another gateway's speech are not told."""
        if not timings.first_token_seconds:
            return
        self._metrics.first_token(timings.first_token_seconds)
        self._metrics.spent(Stage.QUEUE, timings.queue_seconds)
        self._metrics.spent(Stage.PREFILL, timings.prefill_seconds)
        self._metrics.spent(Stage.DECODE, timings.decode_seconds)
        self._metrics.spent(Stage.CODEC, sum(timings.codec_seconds))

    def finish(self) -> None:
        """Nothing more comes, whether the speech is over or its listener has left."""
        self._metrics.hearings.discard(self)
        self._metrics.spent(Stage.ENCODE, self._encode_seconds)
        self._metrics.spent(Stage.WRITE, self._write_seconds)
        self._trace.note({"encode_seconds": self._encode_seconds, "write_seconds": self._write_seconds})
        playback = self._player.finish(self._arrival.seconds)
        if not playback.audio_seconds:
            return
        self._metrics.gap_seconds.labels(*self._labels).inc(playback.gap_seconds)
        if self._writer is None:
            self._metrics.real_time_factor.labels(*self._labels).observe(playback.real_time_factor)
        heard = Heard.GAPS if playback.underruns else Heard.WHOLE
        self._metrics.playbacks.labels(*self._labels, heard.value).inc()
