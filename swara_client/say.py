"""`swara say`: speaks one text into a file, to stdout or through a player, while it is still being made."""

import argparse
import sys
from contextlib import ExitStack
from typing import Protocol

from swara.pcm import Samples
from swara_client.client import Client, Speech
from swara_client.errors import InvalidRequest
from swara_client.play import Speaker, find_player
from swara_client.request import choices_of
from swara_client.show import Bar, expected_seconds, note, summary
from swara_client.wav import WavFile


class Sink(Protocol):
    """Where samples go."""

    def write(self, samples: Samples) -> None:
        """Takes samples [T]."""


def say(given: argparse.Namespace) -> int:
    """Runs the command; returns its exit code."""
    _check(given)
    player = find_player() if given.play else None
    text = text_of(sys.stdin.buffer.read(), "standard input") if given.text == "-" else given.text
    with ExitStack() as opened:
        client = opened.enter_context(Client(given.address))
        speech = client.synthesize(text, timeout_seconds=given.timeout, **choices_of(given))
        opened.enter_context(speech)
        rate_hz = speech.started.sample_rate_hz
        sinks: list[Sink] = [opened.enter_context(WavFile(given.output, rate_hz))] if given.output else []
        if player:
            sinks.append(opened.enter_context(Speaker(player, rate_hz)))
        _pour(speech, sinks, expected_seconds(text))
    _report(speech)
    return 0


def text_of(data: bytes, source: str) -> str:
    """UTF-8 bytes as text; raises InvalidRequest."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{source} is not UTF-8 text: {error.reason} at byte {error.start}") from None


def _check(given: argparse.Namespace) -> None:
    """Raises InvalidRequest where the speech would go nowhere, or into a terminal."""
    if not given.output and not given.play:
        raise InvalidRequest("say where the speech should go: -o FILE, -o - for stdout, or --play")
    if given.output == "-" and sys.stdout.isatty():
        raise InvalidRequest("stdout is a terminal; send the WAV to a file or a program, or give -o FILE")


def _pour(speech: Speech, sinks: list[Sink], expected: float) -> None:
    with Bar(expected) as bar:
        for samples in speech:
            for sink in sinks:
                sink.write(samples)
            bar.update(speech.audio_seconds, speech.passed_seconds)


def _report(speech: Speech) -> None:
    started = speech.started
    note(f"request {started.request_id}  model {started.model}  voice {started.voice}  seed {started.seed}")
    if speech.playback:
        note(summary(speech.playback))
    if speech.resumed:
        note(f"a gateway went away; the speech went on at another, {speech.resumed} times")
    if speech.finished and speech.finished.reason != "end_of_speech":
        note(f"the speech was cut off: {speech.finished.reason}")
