"""OpenAI's own Python client, unmodified, told nothing but our address."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from gateway.encoders import FORMATS
from swara.pcm import from_bytes
from swara.stack import Stack
from tests.gateway.formats import LOSSLESS, decoded, likeness
from tests.stack.doors import LONG, SHORT, Asked, assert_equal_speech, http_chunks, pcm_of

SEED = {"seed": 7}


@pytest.fixture
def openai_client(stack: Stack) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"http://{stack.http_address}/v1", api_key="any", max_retries=0) as client:
        yield client


@pytest.fixture
def names(openai_client: openai.OpenAI) -> dict[str, str]:
    """A model and a voice; the client insists on both."""
    model = next(iter(openai_client.models.list())).id
    return {"model": model, "voice": ""}


@pytest.mark.parametrize("name", FORMATS)
def test_the_client_streams_every_format(
    stack: Stack, openai_client: openai.OpenAI, names: dict[str, str], name: str, tmp_path: Path
) -> None:
    pcm = from_bytes(pcm_of(http_chunks(stack, Asked(SHORT))))
    file = tmp_path / f"speech.{name}"
    with openai_client.audio.speech.with_streaming_response.create(
        input=SHORT, response_format=name, extra_body=SEED, **names
    ) as answer:
        answer.stream_to_file(file)
    heard = decoded(name, file.read_bytes())
    if name in LOSSLESS:
        assert_equal_speech(heard, pcm)
    else:
        assert likeness(pcm, heard) > 0.97


def test_the_client_hears_the_first_bytes_long_before_the_last(
    openai_client: openai.OpenAI, names: dict[str, str]
) -> None:
    create = openai_client.audio.speech.with_streaming_response.create
    with create(input=LONG, extra_body=SEED, **names) as answer:
        pieces = answer.iter_bytes()
        assert len(decoded("mp3", next(pieces) + next(pieces))) > 0


def test_the_clients_errors_carry_our_sentence_and_field(openai_client: openai.OpenAI, names: dict[str, str]) -> None:
    with pytest.raises(openai.BadRequestError, match="speed must be between") as caught:
        openai_client.audio.speech.create(input=SHORT, speed=7, **names)
    assert caught.value.param == "speed"
    with pytest.raises(openai.BadRequestError, match=r"has no voice .nobody."):
        openai_client.audio.speech.create(input=SHORT, model=names["model"], voice="nobody")


async def collect(stack: Stack, names: dict[str, str]) -> bytes:
    async with (
        openai.AsyncOpenAI(base_url=f"http://{stack.http_address}/v1", api_key="any") as client,
        client.audio.speech.with_streaming_response.create(
            input=SHORT, response_format="pcm", extra_body=SEED, **names
        ) as answer,
    ):
        return b"".join([piece async for piece in answer.iter_bytes(chunk_size=4096)])


def test_the_async_client_hears_the_same(stack: Stack, names: dict[str, str]) -> None:
    pcm = pcm_of(http_chunks(stack, Asked(SHORT)))
    assert_equal_speech(from_bytes(asyncio.run(collect(stack, names))), from_bytes(pcm))
