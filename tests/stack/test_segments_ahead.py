"""The next segment begins before its turn where the listener would wait for it, and takes nothing from anybody."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from gateway.events import Chunk, Finished, SpeechEvent
from gateway.models import Models
from gateway.replicas.audio_client import AudioClient
from gateway.replicas.failover import Failover, Patience
from gateway.replicas.pool import Pool
from gateway.request import SpeechRequest
from gateway.speech.pipeline import Limits, Pipeline
from gateway.speech.resume import Sealer
from gateway.text import Style
from swara.pcm import from_bytes
from swara.speech import Priority
from swara.stack import Stack
from tests.conftest import logged
from tests.stack.doors import assert_equal_speech, token_load, wait_until

T = TypeVar("T")
TEXT = "आज सुबह से बहुत तेज़ बारिश हो रही है और सड़कों पर पानी भर गया है। कल मौसम साफ़ रहेगा और हम सब बाज़ार जाएँगे।"
# Nobody holds as much: every listener is one who would wait.
NEVER_SAFE_SECONDS = 1_000.0
NOBODY_WAITS_SECONDS = -1_000.0


@asynccontextmanager
async def pipeline(stack: Stack) -> AsyncIterator[Pipeline]:
    """A gateway's conductor before the stack's own audio service."""
    pool = Pool([stack.audio_address], AudioClient)
    source = Failover(pool, Patience(5.0, 60.0, 60.0), lambda reason: None)
    try:
        yield Pipeline(Models({"": source}), Limits(1_000, 0.0), Sealer((b"k" * 32,), 60.0), Style())
    finally:
        await pool.close()


def run(story: Coroutine[None, None, T]) -> T:
    return asyncio.run(story)


async def heard(stack: Stack, request: SpeechRequest) -> tuple[bytes, Finished, int]:
    """The PCM of a speech, its end, and how many of its segments ran at once at most while its first was heard."""
    pcm, most_streams = bytearray(), 0
    async with pipeline(stack) as speaks, aclosing(speaks.speak(request)) as events:
        async for event in events:
            if isinstance(event, Chunk):
                pcm += event.pcm
                if event.segment == 0:
                    load = await asyncio.to_thread(token_load, stack)
                    most_streams = max(most_streams, load.running_streams)
    assert isinstance(event, Finished)
    return bytes(pcm), event, most_streams


def test_the_next_segment_runs_before_the_last_audio_of_this_one_and_the_speech_is_the_same(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.speech.pace.SAFE_SECONDS", NOBODY_WAITS_SECONDS)
    in_turn, end, streams = run(heard(stack, SpeechRequest("turn", TEXT, seed=7)))
    assert (end.segments, streams) == (2, 1)
    monkeypatch.setattr("gateway.speech.pace.SAFE_SECONDS", NEVER_SAFE_SECONDS)
    ahead, same_end, streams = run(heard(stack, SpeechRequest("ahead", TEXT, seed=7)))
    assert (same_end.segments, same_end.frames, streams) == (2, end.frames, 2)
    assert_equal_speech(from_bytes(ahead), from_bytes(in_turn))


def test_work_that_nobody_waits_for_never_runs_ahead(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.speech.pace.SAFE_SECONDS", NEVER_SAFE_SECONDS)
    _, _, streams = run(heard(stack, SpeechRequest("batch", TEXT, seed=7, priority=Priority.BATCH)))
    assert streams == 1


def test_hanging_up_ends_both_segments(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.speech.pace.SAFE_SECONDS", NEVER_SAFE_SECONDS)

    async def hang_up_on_two(events: AsyncGenerator[SpeechEvent, None]) -> None:
        async with aclosing(events):
            async for _ in events:
                if (await asyncio.to_thread(token_load, stack)).running_streams == 2:
                    return
        pytest.fail("there were never two")

    async def story() -> None:
        async with pipeline(stack) as speaks:
            await hang_up_on_two(speaks.speak(SpeechRequest("gone", TEXT, seed=7)))
            await asyncio.to_thread(wait_until, lambda: token_load(stack).running_streams == 0, 2)

    run(story())


def test_where_there_is_no_place_for_it_a_segment_waits_for_its_turn(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("gateway.speech.pace.SAFE_SECONDS", NEVER_SAFE_SECONDS)
    one_place = {"audio_service": ["--max-streams=1", "--reserve-streams=0"]}
    with Stack.on_free_ports(flags=one_place, sink=logged(tmp_path / "stack.log")) as small:
        pcm, end, streams = run(heard(small, SpeechRequest("small", TEXT, seed=7)))
    assert (end.segments, streams) == (2, 1)
    same, _, _ = run(heard(stack, SpeechRequest("large", TEXT, seed=7)))
    assert_equal_speech(from_bytes(pcm), from_bytes(same))
