"""What a client may ask for: the words of `synthesize` and of the command line, and the messages they become."""

import argparse
from dataclasses import dataclass
from typing import Literal, TypedDict, cast

from swara.v1 import speech_service_pb2 as speech_pb2
from swara.v1 import token_service_pb2 as token_pb2
from swara_client.errors import InvalidRequest

PRIORITIES = {"interactive": token_pb2.PRIORITY_INTERACTIVE, "batch": token_pb2.PRIORITY_BATCH}


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


@dataclass(frozen=True)
class Voice:
    """A voice and the model it belongs to; language as a BCP 47 tag."""

    model: str
    name: str
    language: str
    description: str


def request_of(text: str, choices: Choices) -> speech_pb2.SynthesizeRequest:
    """The message that asks for it; raises InvalidRequest for what no message can carry."""
    if unknown := set(choices) - set(Choices.__annotations__):
        raise TypeError(f"synthesize has no argument {', '.join(sorted(unknown))}")
    try:
        return speech_pb2.SynthesizeRequest(
            text=text,
            speaker=speech_pb2.Speaker(
                model=choices.get("model", ""),
                voice=choices.get("voice", ""),
                sampling=token_pb2.Sampling(
                    temperature=choices.get("temperature"),
                    top_k=choices.get("top_k"),
                    top_p=choices.get("top_p"),
                    repetition_penalty=choices.get("repetition_penalty"),
                ),
                seed=choices.get("seed"),
            ),
            priority=PRIORITIES[choices.get("priority", "interactive")],
        )
    except (TypeError, ValueError, KeyError) as error:
        raise InvalidRequest(f"the request cannot be sent: {error}") from None


def choices_of(given: argparse.Namespace) -> Choices:
    """The choices among the attributes of a parsed command line."""
    chosen = {name: value for name, value in vars(given).items() if name in Choices.__annotations__}
    return cast(Choices, chosen)


def voices_of(response: speech_pb2.ListVoicesResponse) -> list[Voice]:
    """The voices of an answer."""
    return [Voice(item.model, item.voice.name, item.voice.language, item.voice.description) for item in response.voices]
