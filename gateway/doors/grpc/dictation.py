"""The writer's side of StreamSynthesize: configuration first, then pieces of text, flush and cancel, in any order."""

import asyncio
from collections.abc import AsyncIterator, Callable

from gateway.speech.manuscript import Manuscript
from swara.errors import InvalidRequest, Silent
from swara.v1 import speech_service_pb2 as speech

# Whoever opens a stream has the configuration at hand.
CONFIGURATION_SECONDS = 10.0


async def configuration(messages: AsyncIterator[speech.StreamSynthesizeRequest]) -> speech.StreamConfiguration:
    """The first message's; raises InvalidRequest for any other, Silent where none comes."""
    try:
        async with asyncio.timeout(CONFIGURATION_SECONDS):
            first = await anext(messages, None)
    except TimeoutError:
        raise Silent(f"no configuration came within {CONFIGURATION_SECONDS:g} s") from None
    if first is None:
        raise InvalidRequest("the stream ended before its configuration: the first message must carry it")
    if not first.HasField("configuration"):
        raise InvalidRequest(
            f"the first message must be the configuration, got {first.WhichOneof('input') or 'nothing'}"
        )
    return first.configuration


async def read(
    messages: AsyncIterator[speech.StreamSynthesizeRequest], manuscript: Manuscript, cancel: Callable[[], None]
) -> None:
    """Writes what comes into the manuscript until the writer has ended; reads no faster than there is room for it."""
    async for message in messages:
        match message.WhichOneof("input"):
            case "text":
                manuscript.write(message.text)
                await manuscript.room()
            case "flush":
                manuscript.flush()
            case "cancel":
                return cancel()
            case "configuration":
                raise InvalidRequest("a second configuration came: a stream has one, and it comes first")
            case _:
                raise InvalidRequest("a message carried nothing: it needs text, flush or cancel")
    return manuscript.end()
