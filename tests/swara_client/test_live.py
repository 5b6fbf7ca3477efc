"""Texts that are spoken while they are written, and syntheses that are joined; both clients, the real stack."""

import asyncio
import queue
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest

from swara.pcm import Samples, from_bytes
from swara.process import free_port
from swara.stack import Stack
from swara_client import (
    FLUSH,
    AsyncClient,
    Client,
    Flush,
    InvalidRequest,
    NotFound,
    OutOfRange,
    SpeechError,
    Unavailable,
    UnknownName,
)
from tests.stack.doors import FREE_SECONDS, LONG, PATIENCE_SECONDS, SHORT, assert_equal_speech, token_load, wait_until
from tests.swara_client.command import ROOT, command, samples_of, swara

# Two segments.
TEXT = "आज सुबह से बारिश हो रही है। कल मौसम साफ़ रहेगा और धूप निकलेगी।"
WORDS = [word + " " for word in TEXT.split()]
SEED = 5


@pytest.fixture(scope="module")
def whole(shared_stack: Stack) -> Samples:
    """What the text sounds like that was there before it was asked for."""
    with Client(shared_stack.gateway_address) as client, client.synthesize(TEXT, seed=SEED) as speech:
        samples = speech.read()
        assert speech.finished.segments == 2
        return samples


class Pen:
    """Pieces that come when the test writes them."""

    def __init__(self) -> None:
        self._pieces: queue.Queue[str | Flush | None] = queue.Queue()
        self.write = self._pieces.put

    def pieces(self) -> Iterator[str | Flush]:
        return iter(self._pieces.get, None)


def test_speech_comes_while_the_text_is_still_being_written(client: Client) -> None:
    pen = Pen()
    pen.write(SHORT)
    pen.write(FLUSH)
    with client.stream_synthesize(pen.pieces(), seed=5) as speech:
        first = next(speech)
        assert speech.started.seed == 5
        pen.write(SHORT)
        pen.write(None)
        rest = speech.read()
    assert speech.finished.samples == len(first) + len(rest) == speech.next_sample
    assert speech.finished.segments == 2


def test_a_text_that_is_being_written_has_started_when_the_gateway_says_so_and_not_before(
    stack: Stack, client: Client
) -> None:
    pen = Pen()
    with client.stream_synthesize(pen.pieces(), seed=5) as speech:
        assert speech.started is None
        pen.write(SHORT)
        pen.write(FLUSH)
        assert speech.accepted().seed == 5
        assert speech.started == speech.accepted()
        pen.write(None)

    async def hear() -> None:
        async with AsyncClient(stack.gateway_address) as twin:
            live = twin.stream_synthesize([SHORT], seed=6)
            assert live.started is None
            assert (await live.accepted()).seed == 6
            assert live.started == await live.accepted()
            await live.close()

    asyncio.run(hear())


def test_a_speech_that_was_closed_before_it_began_says_that_and_blames_nobody(client: Client) -> None:
    pen = Pen()
    speech = client.stream_synthesize(pen.pieces())
    speech.close()
    pen.write(None)
    with pytest.raises(SpeechError, match="closed before the gateway had begun it"):
        speech.accepted()


def test_both_clients_hear_what_the_whole_text_sounds_like(stack: Stack, client: Client, whole: Samples) -> None:
    async def hear() -> Samples:
        async def pieces() -> AsyncIterator[str]:
            for word in WORDS:
                yield word

        async with AsyncClient(stack.gateway_address) as twin, twin.stream_synthesize(pieces(), seed=SEED) as speech:
            return await speech.read()

    assert_equal_speech(client.stream_synthesize(WORDS, seed=SEED).read(), whole)
    assert_equal_speech(asyncio.run(hear()), whole)


def test_what_goes_wrong_in_the_pieces_is_raised_as_it_is(stack: Stack, client: Client) -> None:
    def broken() -> Iterator[str]:
        yield LONG
        raise ValueError("the language model went away")

    with pytest.raises(ValueError, match="the language model went away"):
        client.stream_synthesize(broken()).read()

    async def hear() -> None:
        async with AsyncClient(stack.gateway_address) as twin:
            await twin.stream_synthesize(broken()).read()

    with pytest.raises(ValueError, match="the language model went away"):
        asyncio.run(hear())


def test_what_the_gateway_refuses_is_raised_with_its_sentence(client: Client) -> None:
    with pytest.raises(UnknownName, match="has no voice 'nobody'"):
        client.stream_synthesize(WORDS, voice="nobody").read()
    with pytest.raises(InvalidRequest, match="the text is empty"):
        client.stream_synthesize([]).read()


def test_closing_a_text_that_is_being_written_hangs_up(stack: Stack, client: Client) -> None:
    pen = Pen()
    pen.write(LONG)
    speech = client.stream_synthesize(pen.pieces())
    next(speech)
    speech.close()
    assert list(speech) == []
    pen.write(None)
    wait_until(lambda: token_load(stack).running_streams == 0, FREE_SECONDS)


def test_others_hear_a_shareable_speech_from_its_start_and_from_any_sample(stack: Stack, client: Client) -> None:
    speech = client.synthesize(SHORT, seed=5, shareable=True)
    synthesis_id = speech.started.synthesis_id
    with client.listen(synthesis_id) as other, client.listen(synthesis_id, 7_000) as late:
        whole = speech.read()
        np.testing.assert_array_equal(other.read(), whole)
        np.testing.assert_array_equal(late.read(), whole[7_000:])
        assert late.next_sample == late.finished.samples == len(whole)

    async def hear() -> Samples:
        async with AsyncClient(stack.gateway_address) as twin, await twin.listen(synthesis_id) as again:
            return await again.read()

    np.testing.assert_array_equal(asyncio.run(hear()), whole)


def test_where_the_first_gateway_is_away_who_listens_is_heard_by_the_next_and_who_writes_the_next_time(
    stack: Stack, client: Client
) -> None:
    addresses = f"127.0.0.1:{free_port()},{stack.gateway_address}"
    speech = client.synthesize(SHORT, seed=5, shareable=True)
    whole, synthesis_id = speech.read(), speech.started.synthesis_id

    async def hear() -> list[Samples]:
        async with AsyncClient(addresses) as twin, await twin.listen(synthesis_id) as joined:
            heard = await joined.read()
        async with AsyncClient(addresses) as twin:
            with pytest.raises(Unavailable):
                await twin.stream_synthesize([SHORT], seed=5).read()
            return [heard, await twin.stream_synthesize([SHORT], seed=5).read()]

    with Client(addresses) as several, several.listen(synthesis_id) as joined:
        assert_equal_speech(joined.read(), whole)
    with Client(addresses) as several:
        with pytest.raises(Unavailable):
            several.stream_synthesize([SHORT], seed=5).read()
        assert_equal_speech(several.stream_synthesize([SHORT], seed=5).read(), whole)
    for heard in asyncio.run(hear()):
        assert_equal_speech(heard, whole)


def test_a_synthesis_ends_only_when_its_last_listener_has_left(stack: Stack, client: Client) -> None:
    speech = client.synthesize(LONG, shareable=True)
    other = client.listen(speech.started.synthesis_id, "live")
    speech.close()
    assert len(next(other))
    assert token_load(stack).running_streams > 0
    other.close()
    wait_until(lambda: token_load(stack).running_streams == 0, FREE_SECONDS)
    with pytest.raises(NotFound, match="no synthesis with this id"):
        client.listen(speech.started.synthesis_id)


def test_a_speech_that_is_not_shareable_cannot_be_joined(client: Client) -> None:
    with client.synthesize(LONG) as speech, pytest.raises(NotFound):
        client.listen(speech.started.synthesis_id)


def test_the_errors_of_listening_are_among_the_clients() -> None:
    assert OutOfRange("no longer kept", "r1").request_id == "r1"


def test_say_speaks_what_comes_on_stdin_while_it_is_being_written(stack: Stack, whole: Samples) -> None:
    running = subprocess.Popen(
        command("say", "-", "-o", "-", "--seed", SEED, "--address", stack.gateway_address),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        cwd=ROOT,
    )
    half = TEXT.encode()[: len(TEXT.encode()) * 4 // 5]
    running.stdin.write(half)
    running.stdin.flush()
    # It speaks though the text has no end yet.
    heard = running.stdout.read(10_000)
    rest, _ = running.communicate(TEXT.encode()[len(half) :], timeout=PATIENCE_SECONDS)
    assert running.returncode == 0
    assert_equal_speech(from_bytes((heard + rest)[44:]), whole)


def test_listen_joins_what_say_shares(stack: Stack, tmp_path: Path) -> None:
    mine, others = tmp_path / "mine.wav", tmp_path / "others.wav"
    said = subprocess.Popen(
        command("say", SHORT, "--share", "-o", mine, "--address", stack.gateway_address),
        stderr=subprocess.PIPE,
        encoding="utf-8",
        cwd=ROOT,
    )
    synthesis_id = said.stderr.readline().split()[-1]
    heard = swara("listen", synthesis_id, "-o", others, "--address", stack.gateway_address)
    said.communicate(timeout=PATIENCE_SECONDS)
    assert heard.returncode == 0, heard.stderr
    np.testing.assert_array_equal(samples_of(others), samples_of(mine))
