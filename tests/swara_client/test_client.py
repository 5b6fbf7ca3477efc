"""The blocking and the asyncio client against the real stack: the same speech, the same errors, hanging up."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable

import numpy as np
import pytest

from swara.pcm import Samples
from swara.stack import Stack
from swara_client import AsyncClient, Client, InvalidRequest, SpeechError, TimedOut, Unavailable, UnknownName
from tests.stack.doors import FREE_SECONDS, LONG, SHORT, assert_equal_speech, token_load, wait_until

NOBODY = "127.0.0.1:1"


def in_loop(stack: Stack, use: Callable[[AsyncClient], Awaitable[object]]) -> object:
    async def run() -> object:
        async with AsyncClient(stack.gateway_address) as client:
            return await use(client)

    return asyncio.run(run())


def test_the_twins_hear_the_same(stack: Stack, client: Client) -> None:
    async def hear(twin: AsyncClient) -> Samples:
        return await (await twin.synthesize(SHORT, seed=3)).read()

    assert_equal_speech(in_loop(stack, hear), client.synthesize(SHORT, seed=3).read())


def test_started_is_there_at_once_and_finished_at_the_end(client: Client) -> None:
    with client.synthesize(SHORT, voice=client.voices()[0].name, seed=5) as speech:
        assert (speech.started.seed, speech.started.sample_rate_hz) == (5, 24_000)
        assert speech.started.request_id
        assert speech.finished is None
        chunks = list(speech)
        assert all(chunk.dtype == np.int16 and len(chunk) for chunk in chunks)
        assert speech.finished.samples == sum(map(len, chunks))
        assert speech.playback.audio_seconds == speech.audio_seconds == speech.finished.samples / 24_000
        assert list(speech) == []


def test_the_seed_that_was_drawn_is_told_and_speaks_the_same_again(client: Client) -> None:
    first = client.synthesize(SHORT)
    drawn, samples = first.started.seed, first.read()
    assert_equal_speech(client.synthesize(SHORT, seed=drawn).read(), samples)


def test_what_is_wrong_is_raised_by_the_call_itself_with_the_request_id(stack: Stack, client: Client) -> None:
    with pytest.raises(UnknownName, match="has no voice 'nobody'") as caught:
        client.synthesize(SHORT, voice="nobody")
    assert caught.value.request_id
    assert caught.value.request_id in str(caught.value)

    async def ask(twin: AsyncClient) -> None:
        await twin.synthesize("  ")

    with pytest.raises(InvalidRequest, match="text is empty"):
        in_loop(stack, ask)


def test_a_deadline_is_kept(client: Client) -> None:
    began = time.monotonic()
    with pytest.raises(TimedOut):
        client.synthesize(LONG, timeout_seconds=0.7).read()
    assert time.monotonic() - began < 1.5


def test_nobody_there_is_said_at_once() -> None:
    began = time.monotonic()
    with pytest.raises(Unavailable, match=f"the gateway at {NOBODY} went away or cannot be reached"):
        Client(NOBODY).synthesize(SHORT)
    with pytest.raises(Unavailable, match=f"the gateway at {NOBODY}"):
        Client(NOBODY).voices()
    assert time.monotonic() - began < 2


def no_streams(stack: Stack) -> None:
    wait_until(lambda: token_load(stack).running_streams == 0, FREE_SECONDS)


def test_closing_hangs_up_and_ends_the_iteration(stack: Stack, client: Client) -> None:
    speech = client.synthesize(LONG)
    next(speech)
    speech.close()
    assert list(speech) == []
    no_streams(stack)


def test_dropping_the_speech_hangs_up(stack: Stack, client: Client) -> None:
    for _ in client.synthesize(LONG):
        break
    no_streams(stack)


def test_another_thread_may_hang_up(stack: Stack, client: Client) -> None:
    speech = client.synthesize(LONG)
    next(speech)
    threading.Timer(0.2, speech.close).start()
    assert len(speech.read()) < 24_000 * 20
    no_streams(stack)


def test_another_task_may_hang_up(stack: Stack) -> None:
    async def listen(twin: AsyncClient) -> int:
        speech = await twin.synthesize(LONG)
        heard = len(await anext(speech))
        async with asyncio.TaskGroup() as group:
            rest = group.create_task(speech.read())
            await asyncio.sleep(0.2)
            await speech.close()
        return heard + len(rest.result())

    assert 0 < in_loop(stack, listen) < 24_000 * 20
    no_streams(stack)


def test_cancelling_the_task_that_listens_hangs_up_and_stays_a_cancellation(stack: Stack) -> None:
    async def listen(twin: AsyncClient) -> None:
        async with asyncio.timeout(0.5):
            await (await twin.synthesize(LONG)).read()

    with pytest.raises(TimeoutError):
        in_loop(stack, listen)
    no_streams(stack)


def test_closing_the_client_ends_what_is_running(stack: Stack) -> None:
    client = Client(stack.gateway_address)
    speech = client.synthesize(LONG)
    client.close()
    with pytest.raises(SpeechError):
        speech.read()
    no_streams(stack)
