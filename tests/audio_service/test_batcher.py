"""Many streams share one decoder."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack

import numpy as np
import pytest
from numpy.typing import NDArray

from audio_service.batcher import Batcher, next_batch
from audio_service.codec import Codec
from audio_service.decoder import Decoder
from audio_service.rows import Work
from audio_service.seat import MAX_UNREAD_SAMPLES, MAX_WAITING_FRAMES, Seat
from audio_service.stream import Piece, Stream, Taken, Voicing
from swara.errors import Broken, Full
from swara.frames import SAMPLE_RATE_HZ, SAMPLES_PER_FRAME, Codes
from swara.pcm import Samples, from_float
from swara.speech import AdmissionClass
from tests.audio_service.codecs import delays, random_codes, whole_decode
from tests.audio_service.places import feed_all, read_all, running

NEW = AdmissionClass.NEW
LONG_SECONDS = 60.0


def test_streams_fed_and_read_side_by_side_each_equal_their_whole_decode(codec: Codec, decoder: Decoder) -> None:
    lengths, blocks = (1, 30, 7, 12, 3, 20), (1, 2, 4, 8, 3, 5)
    codes = [random_codes(frames, codec.codebook_size, k) for k, frames in enumerate(lengths)]

    async def main() -> list[Samples]:
        async with running(decoder, streams=6) as place:

            async def speak(k: int) -> Samples:
                async with place.batcher.open(Voicing(k), NEW) as seat, asyncio.TaskGroup() as group:
                    group.create_task(feed_all(seat, codes[k], blocks[k]))
                    return await read_all(seat)

            spoken = await asyncio.gather(*[speak(k) for k in range(len(codes))])
            assert place.count("swara_audio_streams_total", outcome="finished") == len(codes)
            assert place.batcher.free_rows == 7
            return spoken

    for k, pcm in enumerate(asyncio.run(main())):
        expected = from_float(whole_decode(codec, codes[k], Voicing(k)))
        assert len(pcm) == len(expected)
        assert np.abs(pcm.astype(int) - expected).max() <= 1


async def speak(batcher: Batcher, codes: Codes, admission: AdmissionClass = NEW) -> Samples:
    """One stream from its opening to its end."""
    async with batcher.open(Voicing(0), admission) as seat:
        await feed_all(seat, codes, len(codes))
        return await read_all(seat)


def test_a_stream_without_frames_ends_without_pcm(decoder: Decoder) -> None:
    async def main() -> Samples:
        async with running(decoder) as place, place.batcher.open(Voicing(0), NEW) as seat:
            seat.end()
            return await read_all(seat)

    assert len(asyncio.run(main())) == 0


def test_only_new_streams_are_refused_while_the_reserve_lasts(decoder: Decoder) -> None:
    async def main() -> None:
        async with running(decoder, streams=1, reserve=1) as place:
            async with place.batcher.open(Voicing(0), NEW):
                with pytest.raises(Full, match="full: 1 streams"):
                    async with place.batcher.open(Voicing(0), NEW):
                        pass
                async with place.batcher.open(Voicing(0), AdmissionClass.RESUMED):
                    with pytest.raises(Full):
                        async with place.batcher.open(Voicing(0), AdmissionClass.CONTINUING):
                            pass
            assert place.count("swara_audio_streams_total", outcome="full") == 2
            async with place.batcher.open(Voicing(0), NEW):
                pass
            assert place.batcher.free_rows == 2

    asyncio.run(main())


def test_a_stream_that_is_cancelled_in_the_middle_of_a_step_gives_its_state_back_after_it(decoder: Decoder) -> None:
    async def main() -> None:
        async with running(decoder, streams=2, reserve=0) as place:
            for attempt in range(20):

                async def speak() -> None:
                    async with place.batcher.open(Voicing(0), NEW) as seat:
                        await seat.feed(0, random_codes(60, decoder.codebook_size))
                        await read_all(seat)

                task = asyncio.create_task(speak())
                await asyncio.sleep(0.002 * attempt)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            async with asyncio.timeout(LONG_SECONDS):
                while (place.batcher.running_streams, place.batcher.free_rows) != (0, 2):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert place.count("swara_audio_active_streams") == 0
            assert place.count("swara_audio_streams_total", outcome="cancelled") == 20

    asyncio.run(main())


def test_a_row_that_is_used_again_knows_nothing_of_the_stream_before(codec: Codec, decoder: Decoder) -> None:
    first, second = random_codes(6, codec.codebook_size, 1), random_codes(6, codec.codebook_size, 2)

    async def main() -> Samples:
        async with running(decoder, streams=1, reserve=0) as place:
            for codes in (first, second):
                async with place.batcher.open(Voicing(3), NEW) as seat:
                    await feed_all(seat, codes, 2)
                    pcm = await read_all(seat)
            return pcm

    expected = from_float(whole_decode(codec, second, Voicing(3)))
    assert np.abs(asyncio.run(main()).astype(int) - expected).max() <= 1


def test_a_reader_that_stops_holds_up_nobody_and_gathers_no_more_than_its_bound(decoder: Decoder) -> None:
    async def main() -> None:
        async with running(decoder) as place, place.batcher.open(Voicing(0), NEW) as slow:
            feeding = asyncio.create_task(feed_all(slow, random_codes(400, decoder.codebook_size), 4))
            async with place.batcher.open(Voicing(1), NEW) as seat:
                await feed_all(seat, random_codes(10, decoder.codebook_size), 1)
                assert len(await read_all(seat)) == 10 * SAMPLES_PER_FRAME
            async with asyncio.timeout(LONG_SECONDS):
                while slow.hop(0.0):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            assert not feeding.done()
            assert slow.stream.waiting_frames <= MAX_WAITING_FRAMES + 4
            assert slow.unread_samples <= MAX_UNREAD_SAMPLES + 8 * SAMPLES_PER_FRAME
            assert len(await read_all(slow)) == 400 * SAMPLES_PER_FRAME
            await feeding

    asyncio.run(main())


def test_a_reader_that_stops_is_no_sign_of_a_slow_codec(decoder: Decoder) -> None:
    async def main() -> None:
        async with running(decoder) as place, place.batcher.open(Voicing(0), NEW) as slow:
            feeding = asyncio.create_task(feed_all(slow, random_codes(200, decoder.codebook_size), 4))
            while not slow.held_back or slow.stream.waiting_frames < MAX_WAITING_FRAMES:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            slow.stream._dry_seconds -= 60.0  # a minute goes by
            before = place.batcher.capacity_streams
            await speak(place.batcher, random_codes(10, decoder.codebook_size), AdmissionClass.CONTINUING)
            assert place.batcher.capacity_streams >= before
            assert place.batcher.slack_seconds() == 0.0
            pieces = slow.pieces()
            held_seconds = len((await anext(pieces)).samples) / SAMPLE_RATE_HZ
            assert slow.lead_seconds(time.perf_counter()) == pytest.approx(held_seconds, abs=0.5)
            feeding.cancel()

    asyncio.run(main())


def test_a_token_service_that_stalls_and_then_sends_all_at_once_is_no_sign_of_a_slow_codec(decoder: Decoder) -> None:
    async def main() -> None:
        async with running(decoder) as place, AsyncExitStack() as opened:
            seats = [await opened.enter_async_context(place.batcher.open(Voicing(k), NEW)) for k in range(3)]
            for seat in seats:
                await seat.feed(0, random_codes(10, decoder.codebook_size))
            while any(seat.stream._given_frame < 10 for seat in seats):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            for seat in seats:
                seat.stream._dry_seconds -= 60.0  # a minute goes by
            for seat in seats:
                await seat.feed(10, random_codes(12, decoder.codebook_size))
                seat.end()
            for seat in seats:
                assert len(await read_all(seat)) == 22 * SAMPLES_PER_FRAME
            assert place.batcher._capacity._cap_streams == 4, "whatever its steps took"

    asyncio.run(main())


def test_streams_whose_frames_come_together_share_steps(decoder: Decoder) -> None:
    async def main() -> float:
        async with running(decoder) as place:

            async def speak(k: int) -> None:
                async with place.batcher.open(Voicing(k), NEW) as seat:
                    for first in range(4):
                        await seat.feed(first, random_codes(1, decoder.codebook_size))
                        await asyncio.sleep(0.1)

            await asyncio.gather(*[speak(k) for k in range(4)])
            return place.count("swara_audio_decoded_frames_total") / place.count("swara_audio_step_seconds_count")

    assert asyncio.run(main()) > 2


def test_the_event_loop_runs_on_while_the_decoder_works(decoder: Decoder) -> None:
    async def main() -> None:
        async with running(decoder) as place, place.batcher.open(Voicing(0), NEW) as seat:
            await seat.feed(0, random_codes(64, decoder.codebook_size))
            turns = 0
            while place.count("swara_audio_decoded_frames_total") < 48:
                # A loop that never rests would keep the interpreter's lock from the decoder's thread.
                await asyncio.sleep(0.001)
                turns += 1
            assert turns > 20

    asyncio.run(main())


def test_steps_that_something_else_held_up_at_the_start_say_nothing_about_the_codec(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_up = iter([0.3, 0.3, 0.3])

    async def main() -> int:
        async with running(decoder) as place:

            def slow(works: Sequence[Work]) -> NDArray[np.float32]:
                # The decoding itself takes no time here: how fast this machine is, is not asked.
                time.sleep(next(held_up, 0.0))
                return np.zeros((len(works), 8 * SAMPLES_PER_FRAME), np.float32)

            monkeypatch.setattr(place.batcher._rows, "run", slow)
            place.batcher._rehearse()
            return place.batcher.capacity_streams

    assert asyncio.run(main()) == 4


def test_a_codec_that_was_measured_on_a_busy_machine_shows_what_it_carries_once_somebody_speaks(
    decoder: Decoder,
) -> None:
    async def main() -> list[int]:
        async with running(decoder) as place:
            place.batcher._capacity.stepped(1.0)
            capacities = [place.batcher.capacity_streams]
            await speak(place.batcher, random_codes(40, decoder.codebook_size))
            return [*capacities, place.batcher.capacity_streams]

    assert asyncio.run(main()) == [1, 4]


def test_a_step_that_fails_ends_its_streams_and_not_the_batcher(decoder: Decoder) -> None:
    async def main() -> None:
        async with running(decoder) as place:
            with pytest.raises(Broken, match="codec failed"):
                await speak(place.batcher, np.full((3, 7), 65_535, np.uint16))
            assert place.count("swara_audio_streams_total", outcome="broken") == 1
            assert len(await speak(place.batcher, random_codes(3, decoder.codebook_size))) == 3 * SAMPLES_PER_FRAME

    asyncio.run(main())


def seat_with(decoder: Decoder, frames: int, heard_at: float | None = None, held_frames: int = 0) -> Seat:
    """A seat with frames waiting, whose listener got so much audio at one moment, or nothing yet."""
    stream = Stream(Voicing(0), delays(decoder))
    seat = Seat(stream, 0, (0, 0, 0, 0), asyncio.Event())
    if heard_at is not None:
        stream.feed(0, random_codes(held_frames + 3, 1024))
        taken = stream.take(held_frames + 3)
        stream.give(taken, np.zeros(len(taken.codes) * SAMPLES_PER_FRAME, np.float32), heard_at)
        stream.feed(held_frames + 3, random_codes(frames, 1024))
    else:
        stream.feed(0, random_codes(frames, 1024))
    return seat


def test_unheard_streams_go_first_and_then_those_that_would_run_dry_first(decoder: Decoder) -> None:
    comfortable = seat_with(decoder, 1, heard_at=10.0, held_frames=2)
    nearly_dry = seat_with(decoder, 1, heard_at=9.95, held_frames=2)
    unheard, later = seat_with(decoder, 1), seat_with(decoder, 1)
    seats = [comfortable, later, nearly_dry, unheard]
    later.opened_seconds = unheard.opened_seconds + 1
    assert [seat for seat, _ in next_batch(seats, 10.0, 8)] == [unheard, later, nearly_dry, comfortable]
    assert [seat for seat, _ in next_batch(seats, 10.0, 2)] == [unheard, later]


def test_steps_grow_as_playback_gets_safely_ahead(decoder: Decoder) -> None:
    hops = [seat_with(decoder, 8, heard_at=0.0, held_frames=held).hop(0.0) for held in (1, 3, 6, 12)]
    assert hops == [1, 2, 4, 8]


def test_a_stream_far_ahead_waits_for_more_frames_until_that_stops_being_safe(decoder: Decoder) -> None:
    seat = seat_with(decoder, 3, heard_at=0.0, held_frames=20)
    assert seat.hop(0.0) == 0
    due = seat.due_seconds()
    assert due > 0
    assert seat.hop(due - 0.01) == 0
    assert seat.hop(due + 0.01) == 2


def test_a_listener_who_has_run_dry_gets_the_largest_step(decoder: Decoder) -> None:
    assert seat_with(decoder, 9, heard_at=0.0, held_frames=2).hop(100.0) == 8


def test_a_listener_who_has_run_dry_goes_on_with_the_next_samples_and_is_late_no_longer(decoder: Decoder) -> None:
    seat = seat_with(decoder, 1, heard_at=0.0, held_frames=2)
    gap_ends = 100.0
    assert seat.stream.dry_seconds() < gap_ends
    piece = seat.stream.give(seat.stream.take(1), np.zeros(SAMPLES_PER_FRAME, np.float32), gap_ends)
    assert seat.stream.dry_seconds() == pytest.approx(gap_ends + len(piece.samples) / SAMPLE_RATE_HZ)


def test_pieces_that_gathered_while_the_reader_was_away_come_as_one(decoder: Decoder) -> None:
    async def main() -> list[Piece]:
        seat = Seat(Stream(Voicing(0), delays(decoder)), 0, (), asyncio.Event())
        await seat.feed(0, random_codes(8, 1024))
        seat.end()
        for first in range(0, 12, 4):
            seat.work(4)
            taken = Taken(random_codes(4, 1024), first, 8)
            seat.deliver(taken, np.zeros(4 * SAMPLES_PER_FRAME, np.float32), 0.0, 0.0)
        return [piece async for piece in seat.pieces()]

    assert [len(piece.samples) for piece in asyncio.run(main())] == [8 * SAMPLES_PER_FRAME]
