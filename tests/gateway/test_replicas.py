"""replica.py, pool.py, turn.py, retry_budget.py, line.py, addresses.py: what the pool knows, without I/O."""

import asyncio
import time
from dataclasses import replace

import pytest

from gateway.replicas import addresses
from gateway.replicas.audio_client import AudioClient
from gateway.replicas.journey import Journey
from gateway.replicas.line import Line
from gateway.replicas.pool import Pool
from gateway.replicas.replica import REST_SECONDS, Health, Replica, ReplicaLoad
from gateway.replicas.retry_budget import FLOOR_RETRIES, WINDOW_SECONDS, RetryBudget
from gateway.replicas.turn import Turn
from gateway.speech.segment import SegmentOrder
from swara.errors import SetupError
from swara.speech import AdmissionClass, Priority, Sampling
from tests.swara.test_address import NO_ADDRESSES, NO_NAMES

NEVER = "127.0.0.1:1"
LONG_SECONDS = 60.0
ORDER = SegmentOrder("r1", 0, "t", "v", Sampling(), 7, AdmissionClass.NEW, Priority.INTERACTIVE, None, 0.0)


def in_loop(story: object) -> None:
    asyncio.run(story())


def replica(capacity_streams: int = 4, running_streams: int = 0) -> Replica:
    made = Replica(AudioClient(NEVER))
    made.looked(ReplicaLoad(running_streams, capacity_streams), own_streams=0, now_seconds=0.0)
    return made


def test_the_least_loaded_replica_comes_first_and_what_it_was_given_counts_at_once() -> None:
    async def story() -> None:
        busy, idle = replica(running_streams=3), replica(running_streams=2)
        assert idle.rank(0.0) < busy.rank(0.0)
        idle.streams += 2
        assert busy.rank(0.0) < idle.rank(0.0)

    in_loop(story)


def test_streams_of_ours_are_not_counted_twice_after_a_look() -> None:
    async def story() -> None:
        one = replica()
        one.streams = 2
        one.looked(ReplicaLoad(3, 4), own_streams=2, now_seconds=0.0)
        assert one.running_streams == 3
        one.streams = 0
        assert one.running_streams == 1

    in_loop(story)


def test_a_replica_that_fails_again_and_again_is_left_alone_for_longer_and_never_for_ever() -> None:
    async def story() -> None:
        bad = replica()
        for seconds in (1, 2, 4, 8, 16, 30, 30):
            bad.failed(100.0)
            assert bad.ejected(100.0 + seconds - 0.01)
            assert not bad.ejected(100.0 + seconds)
        bad.worked()
        bad.failed(200.0)
        assert not bad.ejected(201.0)

    in_loop(story)


def test_a_replica_that_does_not_answer_is_the_last_to_be_tried_and_a_draining_one_never() -> None:
    async def story() -> None:
        pool = Pool([NEVER, "127.0.0.1:2", "127.0.0.1:3"], AudioClient)
        first, second, third = pool.replicas
        first.missed(Health.UNREACHABLE)
        second.missed(Health.DRAINING)
        third.failed(float("inf"))
        assert pool.choose(()) is third
        assert pool.choose({third}) is first
        assert pool.choose({third, first}) is None

    in_loop(story)


def pool_of(*capacities_streams: int) -> Pool:
    """A pool that has just looked at replicas which have said that they carry so much."""
    pool = Pool([f"127.0.0.1:{port + 1}" for port in range(len(capacities_streams))], AudioClient)
    for one, capacity_streams in zip(pool.replicas, capacities_streams, strict=True):
        one.looked(ReplicaLoad(0, capacity_streams), 0, time.monotonic())
    return pool


async def next_for(pool: Pool, admission_class: AdmissionClass = AdmissionClass.NEW) -> Replica:
    """Who gets the next segment of this class."""
    turn = Turn(pool, Journey(replace(ORDER, admission_class=admission_class)), Priority.INTERACTIVE, 0.0)
    return await turn.replica()


def test_a_replica_that_measured_little_at_its_start_gets_a_new_stream_and_so_can_measure_more() -> None:
    async def story() -> None:
        pool = pool_of(1, 4)
        guessed_low, known = pool.replicas
        begun = []
        for _ in range(2):
            begun.append(await next_for(pool))
            begun[-1].streams += 1
        assert begun == [known, guessed_low]

    in_loop(story)


def test_no_listener_who_has_begun_is_sent_to_a_replica_that_has_rested() -> None:
    async def story() -> None:
        pool = pool_of(1, 4)
        rested, known = pool.replicas
        known.streams = 1
        for running in (AdmissionClass.CONTINUING, AdmissionClass.RESUMED):
            assert await next_for(pool, running) is known
        assert await next_for(pool) is rested

    in_loop(story)


def test_what_has_spoken_lately_has_not_rested_whoever_it_spoke_for_nor_has_what_failed() -> None:
    async def story() -> None:
        for_us, for_others, failing = replica(), replica(), replica()
        with pool_of(1).lease(for_us):
            assert not for_us.rested(0.0)
        for_others.looked(ReplicaLoad(1, 4), 0, 100.0)
        for_others.looked(ReplicaLoad(0, 4), 0, 101.0)
        assert not for_others.rested(100.0 + REST_SECONDS - 0.01)
        assert for_others.rested(100.0 + REST_SECONDS)
        failing.failed(0.0)
        assert not failing.rested(1_000.0)
        assert not for_us.rested(time.monotonic() + REST_SECONDS / 2)
        assert for_us.rested(time.monotonic() + REST_SECONDS)

    in_loop(story)


@pytest.mark.parametrize(("capacities", "admitted"), [((4, 4), 4), ((2, 2, 2), 4), ((1, 1), 1), ((1, 1, 1), 2)])
def test_of_n_replicas_one_ones_share_is_kept_for_what_has_begun(capacities: tuple[int, ...], admitted: int) -> None:
    async def story() -> None:
        pool, begun = pool_of(*capacities), 0
        while pool.has_room:
            chosen = pool.choose(())
            assert chosen
            chosen.streams += 1
            begun += 1
        assert begun == admitted

    in_loop(story)


def test_a_single_replica_and_one_whose_load_is_unknown_decide_for_themselves() -> None:
    async def story() -> None:
        alone = Pool([NEVER], AudioClient)
        alone.replicas[0].looked(ReplicaLoad(4, 4), 0, 0.0)
        assert alone.has_room
        assert Pool([NEVER, "127.0.0.1:2"], AudioClient).has_room

    in_loop(story)


def test_of_a_hundred_requests_twenty_may_be_tried_again_and_a_few_more_until_the_window_has_passed() -> None:
    budget = RetryBudget()
    for _ in range(100):
        budget.requested(0.0)
    assert sum(budget.take(1.0) for _ in range(100)) == 20 + FLOOR_RETRIES
    assert not budget.take(WINDOW_SECONDS)
    assert budget.take(1.1 + WINDOW_SECONDS)


def test_interactive_comes_before_batch_and_each_in_its_order() -> None:
    order: list[str] = []

    async def stand(line: Line, name: str, priority: Priority) -> None:
        await line.wait(line.ticket(priority), 5.0)
        order.append(name)
        line.wake()

    async def story() -> None:
        line = Line()
        async with asyncio.TaskGroup() as group:
            for name, priority in (("b1", Priority.BATCH), ("i1", Priority.INTERACTIVE), ("i2", Priority.INTERACTIVE)):
                group.create_task(stand(line, name, priority))
            await asyncio.sleep(0)
            late = line.ticket(Priority.BATCH)
            assert not line.is_first(late)
            line.wake()
        assert line.is_first(late)

    in_loop(story)
    assert order == ["i1", "i2", "b1"]


def test_who_is_not_called_in_time_leaves_the_line() -> None:
    async def story() -> None:
        line = Line()
        await line.wait(line.ticket(Priority.BATCH), 0.01)
        assert len(line) == 0

    in_loop(story)


def test_addresses_are_a_list_of_hosts_sockets_and_names() -> None:
    given = "10.0.0.1:50052, unix:/run/audio.sock,dns:///audio:50052,10.0.0.1:50052"
    assert addresses.parse(given) == ("10.0.0.1:50052", "unix:/run/audio.sock", "dns:///audio:50052")


@pytest.mark.parametrize(
    "wrong", ["", " , ", *(f"10.0.0.1:50052,{wrong}" for wrong in (*NO_ADDRESSES, *NO_NAMES) if wrong)]
)
def test_a_malformed_address_is_a_sentence(wrong: str) -> None:
    with pytest.raises(SetupError):
        addresses.parse(wrong)


def test_replicas_come_and_go_as_dns_says_and_stay_while_it_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [("h:1", "h:2"), None, ("h:2", "h:3"), ("h:3",)]
    seen: list[list[str]] = []

    async def story() -> None:
        pool, all_given = Pool(["dns:///h:1"], AudioClient), asyncio.Event()

        async def resolved(name: str) -> tuple[str, ...] | None:
            # What the answers before this one have made of the pool.
            seen.append(sorted(replica.address for replica in pool.replicas))
            if len(seen) <= len(answers):
                return answers[len(seen) - 1]
            all_given.set()
            return None

        monkeypatch.setattr("gateway.replicas.addresses.resolved", resolved)
        looking = asyncio.create_task(pool.run())
        await asyncio.wait_for(all_given.wait(), LONG_SECONDS)
        looking.cancel()
        await pool.close()

    monkeypatch.setattr("gateway.replicas.pool.RESOLVE_SECONDS", 0.01)
    in_loop(story)
    assert seen[:5] == [[], ["h:1", "h:2"], ["h:1", "h:2"], ["h:2", "h:3"], ["h:3"]]


def test_a_name_stands_for_the_addresses_dns_gives_and_an_unknown_one_for_none() -> None:
    async def story() -> None:
        assert "127.0.0.1:7" in (await addresses.resolved("dns:///localhost:7") or ())
        assert await addresses.resolved("dns:///no-such-host.invalid:7") is None
        assert await addresses.resolved("dns:///no..such.host:7") is None

    in_loop(story)
