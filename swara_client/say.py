"""`swara say` and `swara listen`: speech into a file, to stdout or through a player, while it is still being made."""

import argparse
import codecs
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import BinaryIO, Protocol

from swara.pcm import Samples
from swara_client.access import tls_of
from swara_client.client import Client, Speech
from swara_client.errors import InvalidRequest
from swara_client.live import LiveSpeech
from swara_client.play import Speaker, find_player
from swara_client.request import Start, choices_of
from swara_client.show import Bar, expected_seconds, note, summary
from swara_client.speech import Started
from swara_client.wav import WavFile

# What is there is taken at once; a pipe holds no more.
PIECE_BYTES = 65_536


class Sink(Protocol):
    """Where samples go."""

    def write(self, samples: Samples) -> None:
        """Takes samples [T]."""


def say(given: argparse.Namespace) -> int:
    """Runs the command; returns its exit code."""
    player = _checked(given)
    with Client(given.address, tls=tls_of(given)) as client:
        choices = choices_of(given)
        if given.text == "-":
            pieces = pieces_of(sys.stdin.buffer, "standard input")
            return _hear(given, player, client.stream_synthesize(pieces, timeout_seconds=given.timeout, **choices), 0.0)
        speech = client.synthesize(given.text, timeout_seconds=given.timeout, **choices)
        return _hear(given, player, speech, expected_seconds(given.text))


def listen(given: argparse.Namespace) -> int:
    """Runs `swara listen`; returns its exit code."""
    player = _checked(given)
    with Client(given.address, tls=tls_of(given)) as client:
        start: Start = "live" if given.live else "start"
        return _hear(given, player, client.listen(given.synthesis_id, start, timeout_seconds=given.timeout), 0.0)


def _hear(given: argparse.Namespace, player: str | None, speech: Speech | LiveSpeech, expected: float) -> int:
    """Sends speech where it is wanted, and reports how it went."""
    with ExitStack() as opened:
        opened.enter_context(speech)
        started = speech.accepted() if isinstance(speech, LiveSpeech) else speech.started
        if getattr(given, "shareable", False):
            note(f"others join with: swara listen {started.synthesis_id}")
        rate_hz = started.sample_rate_hz
        sinks: list[Sink] = [opened.enter_context(WavFile(given.output, rate_hz))] if given.output else []
        if player:
            sinks.append(opened.enter_context(Speaker(player, rate_hz)))
        _pour(speech, sinks, expected)
    _report(speech, started)
    return 0


def pieces_of(file: BinaryIO, source: str) -> Iterator[str]:
    """The text of a file as it is written, piece by piece; raises InvalidRequest where it is not UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    decoded_bytes = 0
    try:
        while data := os.read(file.fileno(), PIECE_BYTES):
            yield decoder.decode(data)
            decoded_bytes += len(data)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        at = decoded_bytes - len(decoder.getstate()[0]) + error.start
        raise InvalidRequest(f"{source} is not UTF-8 text: {error.reason} at byte {at}") from None


def text_of(data: bytes, source: str) -> str:
    """UTF-8 bytes as text; raises InvalidRequest."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{source} is not UTF-8 text: {error.reason} at byte {error.start}") from None


def _checked(given: argparse.Namespace) -> str | None:
    """The player to use, if any; raises InvalidRequest where the speech would go nowhere, or into a terminal."""
    if not given.output and not given.play:
        raise InvalidRequest("say where the speech should go: -o FILE, -o - for stdout, or --play")
    if given.output == "-" and sys.stdout.isatty():
        raise InvalidRequest("stdout is a terminal; send the WAV to a file or a program, or give -o FILE")
    return find_player() if given.play else None


def _pour(speech: Speech | LiveSpeech, sinks: list[Sink], expected: float) -> None:
    with Bar(expected) as bar:
        for samples in speech:
            for sink in sinks:
                sink.write(samples)
            bar.update(speech.audio_seconds, speech.passed_seconds)


def _report(speech: Speech | LiveSpeech, started: Started) -> None:
    note(f"request {started.request_id}  model {started.model}  voice {started.voice}  seed {started.seed}")
    if speech.playback:
        note(summary(speech.playback))
    if speech.resumed:
        note(f"a gateway went away; the speech went on at another, {speech.resumed} times")
    if speech.finished and speech.finished.reason != "end_of_speech":
        note(f"the speech was cut off: {speech.finished.reason}")
