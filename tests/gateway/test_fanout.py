"""fanout.py: one synthesis, many listeners; each hears everything from where it joined, and none waits for another."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import pytest

from gateway.events import Chunk, Finished, SpeechEvent, Started, Timings
from gateway.sharing.fanout import Broadcast, History
from swara.errors import OutOfRange, Unavailable
from swara.speech import FinishReason
from tests.gateway.loop import settled

SAMPLES = 2048
STARTED = Started("r1", "s1", "m", "f", "v", 7, 24_000)
CHUNKS = [Chunk(0, k * SAMPLES, bytes([k]) * 2 * SAMPLES, k, b"") for k in range(12)]
FINISHED = Finished(FinishReason.END_OF_SPEECH, 12 * SAMPLES, 1, 12, Timings(0.1, 1.0))
EVERYTHING: list[SpeechEvent] = [STARTED, *CHUNKS, FINISHED]
KEPT_BYTES = 4 * 2 * SAMPLES


class Synthesis:
    """Events one by one, and how many have been taken."""

    def __init__(self, error: Exception | None = None) -> None:
        self.taken = 0
        self.closed = False
        self._error = error

    async def events(self) -> AsyncGenerator[SpeechEvent, None]:
        try:
            for event in EVERYTHING:
                self.taken += 1
                yield event
                await asyncio.sleep(0)
            if self._error:
                raise self._error
        finally:
            self.closed = True


async def heard(broadcast: Broadcast, first_sample: int | None = 0) -> list[SpeechEvent]:
    return [event async for event in broadcast.listen(first_sample)]


def pcm_of(events: list[SpeechEvent]) -> bytes:
    return b"".join(event.pcm for event in events if isinstance(event, Chunk))


async def taken(events: AsyncGenerator[SpeechEvent, None], count: int) -> list[SpeechEvent]:
    return [await anext(events) for _ in range(count)]


def test_every_listener_hears_every_event_in_order() -> None:
    async def story() -> list[list[SpeechEvent]]:
        broadcast = Broadcast(KEPT_BYTES)
        broadcast.start(Synthesis().events())
        return await asyncio.gather(*(heard(broadcast) for _ in range(20)))

    assert asyncio.run(story()) == 20 * [EVERYTHING]


def test_who_joins_at_a_sample_hears_from_exactly_that_sample_on() -> None:
    async def story() -> list[SpeechEvent]:
        broadcast = Broadcast(KEPT_BYTES)
        broadcast.start(Synthesis().events())
        async with aclosing(broadcast.listen(0)) as first:
            await taken(first, 5)
            rest = asyncio.create_task(heard(broadcast, 3 * SAMPLES + 100))
            async for _ in first:
                pass
            return await rest

    events = asyncio.run(story())
    assert events[1].first_sample == 3 * SAMPLES + 100
    assert pcm_of(events) == pcm_of(EVERYTHING)[2 * (3 * SAMPLES + 100) :]


def test_who_joins_live_hears_only_what_is_yet_to_come() -> None:
    async def story() -> list[SpeechEvent]:
        broadcast = Broadcast(KEPT_BYTES)
        broadcast.start(Synthesis().events())
        async with aclosing(broadcast.listen(0)) as first:
            await taken(first, 6)
            live = asyncio.create_task(heard(broadcast, None))
            await asyncio.sleep(0)
            async for _ in first:
                pass
            return await live

    events = asyncio.run(story())
    assert events[0] == STARTED
    assert events[1].first_sample >= 5 * SAMPLES
    assert events[-1] == FINISHED


def test_what_the_history_has_forgotten_is_out_of_range() -> None:
    async def story() -> None:
        broadcast = Broadcast(KEPT_BYTES)
        broadcast.start(Synthesis().events())
        async with aclosing(broadcast.listen(0)) as first:
            await taken(first, 12)
            await anext(broadcast.listen(0))

    with pytest.raises(OutOfRange, match="sample 0 is no longer kept; the first that is has number"):
        asyncio.run(story())


def test_a_listener_who_takes_nothing_holds_nobody_back_and_is_told_that_it_fell_behind() -> None:
    async def story() -> None:
        broadcast = Broadcast(KEPT_BYTES)
        broadcast.start(Synthesis().events())
        async with aclosing(broadcast.listen(0)) as slow:
            await anext(slow)
            assert await heard(broadcast) == EVERYTHING
            await anext(slow)

    with pytest.raises(OutOfRange, match="fell behind what is kept"):
        asyncio.run(story())


def test_the_synthesis_runs_no_further_than_its_fastest_listener() -> None:
    async def story() -> None:
        synthesis, broadcast = Synthesis(), Broadcast(KEPT_BYTES)
        broadcast.start(synthesis.events())
        async with aclosing(broadcast.listen(0)) as only:
            await taken(only, 3)
            await settled()
            assert synthesis.taken == 4

    asyncio.run(story())


def test_it_runs_until_the_last_listener_leaves_and_has_let_go_by_then() -> None:
    async def story() -> None:
        synthesis, broadcast = Synthesis(), Broadcast(KEPT_BYTES)
        broadcast.start(synthesis.events())
        first, second = broadcast.listen(0), broadcast.listen(0)
        await taken(first, 2)
        await taken(second, 2)
        await first.aclose()
        assert not synthesis.closed
        assert await taken(second, 2) == CHUNKS[1:3]
        await second.aclose()
        assert synthesis.closed
        assert broadcast.deserted

    asyncio.run(story())


def test_what_ends_the_synthesis_early_reaches_every_listener_after_what_came_before() -> None:
    async def broken() -> AsyncGenerator[SpeechEvent, None]:
        yield STARTED
        yield CHUNKS[0]
        raise Unavailable("gone")

    async def listener(broadcast: Broadcast) -> int:
        count = 0
        try:
            async for _ in broadcast.listen(0):
                count += 1
        except Unavailable:
            return count
        return -1

    async def story() -> list[int]:
        broadcast = Broadcast(KEPT_BYTES)
        broadcast.start(broken())
        return await asyncio.gather(*(listener(broadcast) for _ in range(3)))

    assert asyncio.run(story()) == [2, 2, 2]


def test_the_history_is_bounded_and_keeps_the_newest() -> None:
    history = History(KEPT_BYTES)
    for chunk in CHUNKS:
        history.put(chunk)
    assert history.end == 12
    assert [history.chunk(k) for k in range(8, 12)] == CHUNKS[8:]
    assert history.index_at(9 * SAMPLES + 1) == 9
    with pytest.raises(OutOfRange):
        history.chunk(7)


def test_all_that_a_chunk_carries_counts_in_the_history_and_not_its_pcm_alone() -> None:
    history = History(KEPT_BYTES)
    text, codes = "नमस्ते", bytes(14)
    token = bytes(2 * SAMPLES - len(codes) - len(text.encode()))
    for chunk in CHUNKS:
        history.put(replace(chunk, codes=codes, resume_token=token, text=text))
    assert [history.chunk(k).first_sample for k in (10, 11)] == [10 * SAMPLES, 11 * SAMPLES]
    with pytest.raises(OutOfRange, match=f"the last {KEPT_BYTES} bytes"):
        history.chunk(9)
