"""What a client may ask for: the words of `synthesize` and of the command line, and the messages they become."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypedDict, cast

from swara.v1 import speech_service_pb2 as speech_pb2
from swara.v1 import token_service_pb2 as token_pb2
from swara_client.errors import InvalidRequest

PRIORITIES = {"interactive": token_pb2.PRIORITY_INTERACTIVE, "batch": token_pb2.PRIORITY_BATCH}


class Flush(Enum):
    """Between two pieces of text: what has come so far is spoken without waiting for the end of its sentence."""

    FLUSH = "flush"


FLUSH = Flush.FLUSH
"""The one Flush there is."""

Start = Literal["start", "live"] | int
"""Where a listener joins; a number is the first sample wanted."""
STARTS = {"start": speech_pb2.LISTEN_FROM_START, "live": speech_pb2.LISTEN_FROM_LIVE}


class Choices(TypedDict, total=False):
    """How a text is to be spoken, as keywords of `synthesize`; what is missing, the gateway or the model chooses."""

    voice: str
    model: str
    seed: int | None
    temperature: float | None
    top_k: int | None
    top_p: float | None
    repetition_penalty: float | None
    priority: Literal["interactive", "batch"]
    shareable: bool


@dataclass(frozen=True)
class Voice:
    """A voice and the model it belongs to; language as a BCP 47 tag."""

    model: str
    name: str
    language: str
    description: str


def request_of(text: str, choices: Choices) -> speech_pb2.SynthesizeRequest:
    """The message that asks for it; raises InvalidRequest for what no message can carry."""
    _refuse_unknown(choices, "synthesize")
    with _sendable():
        return speech_pb2.SynthesizeRequest(
            text=text,
            speaker=_speaker(choices),
            priority=PRIORITIES[choices.get("priority", "interactive")],
            shareable=choices.get("shareable", False),
        )


def stream_request_of(choices: Choices, max_buffer_delay_seconds: float) -> speech_pb2.StreamSynthesizeRequest:
    """The first message of a text that is being written; raises InvalidRequest for what no message can carry."""
    _refuse_unknown(choices, "stream_synthesize")
    with _sendable():
        configuration = speech_pb2.StreamConfiguration(
            speaker=_speaker(choices),
            priority=PRIORITIES[choices.get("priority", "interactive")],
            shareable=choices.get("shareable", False),
            max_buffer_delay_ms=round(1000 * max_buffer_delay_seconds),
        )
        return speech_pb2.StreamSynthesizeRequest(configuration=configuration)


def piece_of(piece: "str | Flush") -> speech_pb2.StreamSynthesizeRequest:
    """A later message of a text that is being written; raises InvalidRequest for what no message can carry."""
    with _sendable():
        if piece is Flush.FLUSH:
            return speech_pb2.StreamSynthesizeRequest(flush=speech_pb2.Flush())
        return speech_pb2.StreamSynthesizeRequest(text=piece)


def listen_request_of(synthesis_id: str, start: "Start") -> speech_pb2.ListenRequest:
    """The message that asks to join a synthesis; raises InvalidRequest for what no message can carry."""
    with _sendable():
        at = start if isinstance(start, int) else 0
        message = speech_pb2.ListenRequest(synthesis_id=synthesis_id, first_sample=at)
        # `from` is a word of Python's own.
        setattr(message, "from", speech_pb2.LISTEN_FROM_SAMPLE if isinstance(start, int) else STARTS[start])
        return message


def _refuse_unknown(choices: Choices, call: str) -> None:
    if unknown := set(choices) - set(Choices.__annotations__):
        raise TypeError(f"{call} has no argument {', '.join(sorted(unknown))}")


@contextmanager
def _sendable() -> Iterator[None]:
    """Says in a sentence what no message can carry."""
    try:
        yield
    except (TypeError, ValueError, KeyError) as error:
        raise InvalidRequest(f"the request cannot be sent: {error}") from None


def _speaker(choices: Choices) -> speech_pb2.Speaker:
    return speech_pb2.Speaker(
        model=choices.get("model", ""),
        voice=choices.get("voice", ""),
        sampling=token_pb2.Sampling(
            temperature=choices.get("temperature"),
            top_k=choices.get("top_k"),
            top_p=choices.get("top_p"),
            repetition_penalty=choices.get("repetition_penalty"),
        ),
        seed=choices.get("seed"),
    )


def choices_of(given: argparse.Namespace) -> Choices:
    """The choices among the attributes of a parsed command line."""
    chosen = {name: value for name, value in vars(given).items() if name in Choices.__annotations__}
    return cast(Choices, chosen)


def voices_of(response: speech_pb2.ListVoicesResponse) -> list[Voice]:
    """The voices of an answer."""
    return [Voice(item.model, item.voice.name, item.voice.language, item.voice.description) for item in response.voices]
