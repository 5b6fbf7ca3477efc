"""Law 7 at random moments: every replica in turn is killed, or told to end, while a crowd listens; nobody is lost."""

import random
import time
from collections.abc import Callable

import pytest

from swara_client import Client
from tests.faults.cluster import Cluster, Member, wait_until
from tests.faults.crowd import SEEDS, Crowd, Told, assert_law_one, hear
from tests.faults.listening import note_figure

pytestmark = pytest.mark.faults

LISTENERS = 4
# Somewhere in a speech of three seconds; the next replica is hit when this one is back.
LONGEST_WAIT_SECONDS = 3.0
LONGEST_SPEECH_SECONDS = 120.0
TEN_ROUNDS = pytest.param(10, marks=[pytest.mark.endurance, pytest.mark.timeout(1_800)])


@pytest.fixture(scope="session")
def references(shared_cluster: Cluster) -> dict[int, Told]:
    """Each seed's speech while nothing happens."""
    shared_cluster.revive()
    with Client(shared_cluster.addresses, resume=True) as client:
        return {seed: hear(client, seed) for seed in SEEDS}


@pytest.mark.parametrize("rounds", [1, TEN_ROUNDS])
def test_killing_each_replica_in_turn_loses_no_stream(
    cluster: Cluster, references: dict[int, Told], rounds: int
) -> None:
    crowd = Crowd(cluster.addresses, LISTENERS)
    with crowd.asking():
        hit_each(cluster, crowd, rounds, kill)
    assert_nobody_noticed(crowd, references)


@pytest.mark.parametrize("rounds", [TEN_ROUNDS])
def test_restarting_each_replica_in_turn_loses_no_stream(
    cluster: Cluster, references: dict[int, Told], rounds: int
) -> None:
    crowd = Crowd(cluster.addresses, LISTENERS)
    with crowd.asking():
        hit_each(cluster, crowd, rounds, restart)
    assert_nobody_noticed(crowd, references)


def kill(member: Member) -> None:
    member.kill()
    member.running.wait(10)


def restart(member: Member) -> None:
    member.terminate()
    assert member.running.wait(30) == 0, f"{member.service}: {member.lines[-5:]}"


def hit_each(cluster: Cluster, crowd: Crowd, rounds: int, hit: Callable[[Member], None]) -> None:
    """Hits every replica of every kind once a round, each when the one before is back, and no speech twice.

    A text at which two services have failed is given up, and on a busy machine a speech may outlast a restart.
    """
    moments = random.Random(1)
    for _ in range(rounds):
        for member in moments.sample(cluster.members, len(cluster.members)):
            time.sleep(moments.uniform(0, LONGEST_WAIT_SECONDS))
            hit(member)
            turns = dict(crowd.turns)
            member.start()
            member.wait_until_ready()
            cluster.wait_until_known()
            wait_until(
                lambda turns=turns: all(crowd.turns[k] > turn for k, turn in turns.items()), LONGEST_SPEECH_SECONDS
            )
    note_figure("hits", rounds * len(cluster.members))


def assert_nobody_noticed(crowd: Crowd, references: dict[int, Told]) -> None:
    """Nobody was lost, and all heard their undisturbed speech; prints the longest extra gap."""
    assert crowd.lost == []
    note_figure("streams", len(crowd.told))
    note_figure("extra_gap_seconds", max(one.gap_seconds - references[one.seed].gap_seconds for one in crowd.told))
    note_figure("gateway_moves", sum(one.resumed for one in crowd.told))
    for one in crowd.told:
        assert one.codes == references[one.seed].codes
        assert_law_one(one)
    assert len(crowd.told) >= LISTENERS
