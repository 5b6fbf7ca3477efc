"""Law 6 with several replicas: Full is said at once, or after a bounded wait in a fair line; nobody stutters for it."""

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from swara_client import Client
from tests.faults.cluster import GROWTH_BYTES, Cluster, Member
from tests.faults.crowd import Crowd, settle, spoken
from tests.faults.listening import SEED, TEXT, note_figure

pytestmark = pytest.mark.load

OVERLOAD = 3
GOODPUT_SHARE = 0.95
REFUSED_P95_SECONDS = 0.05
REFUSED_SECONDS = 0.25
SHORT = "नमस्ते दोस्तों।"


@pytest.mark.parametrize(
    ("capacity_seconds", "overload_seconds"),
    [(10.0, 15.0), pytest.param(30.0, 60.0, marks=[pytest.mark.endurance, pytest.mark.timeout(300)])],
)
def test_three_times_as_many_as_there_are_places_cost_those_inside_nothing(
    cluster: Cluster, capacity_seconds: float, overload_seconds: float
) -> None:
    """The refused know at once, the admitted do not stutter, as much is spoken as with nobody too many."""
    settle(cluster)
    memory_bytes = {member: member.resident_bytes() for member in cluster.members}
    places = cluster.places()
    fitting, too_many = Crowd(cluster.addresses, places), Crowd(cluster.addresses, OVERLOAD * places)
    fitting_rate = spoken(fitting, capacity_seconds)
    too_many_rate = spoken(too_many, overload_seconds)
    cluster.wait_until_idle()
    refused = np.array(too_many.refused_seconds)
    note_figure("places", places)
    note_figure("fitting_audio_seconds_a_second", fitting_rate)
    note_figure("fitting_underruns", fitting.underruns)
    note_figure("fitting_refused", len(fitting.refused_seconds))
    note_figure("spoken", len(too_many.told))
    note_figure("underruns", too_many.underruns)
    note_figure("goodput_of_capacity", too_many_rate / fitting_rate)
    note_figure("refused", len(refused))
    note_figure("refused_p95_seconds", float(np.quantile(refused, 0.95)))
    note_figure("refused_max_seconds", float(refused.max()))
    assert fitting.underruns == 0
    assert too_many.lost == []
    assert too_many.underruns == 0
    assert too_many_rate >= GOODPUT_SHARE * fitting_rate
    assert np.quantile(refused, 0.95) <= REFUSED_P95_SECONDS
    assert refused.max() <= REFUSED_SECONDS
    for member, size_bytes in memory_bytes.items():
        assert member.resident_bytes() - size_bytes < GROWTH_BYTES


@pytest.fixture
def patient(cluster: Cluster) -> Iterator[Member]:
    """A gateway that lets new streams wait."""
    gateway = cluster.gateway([audio.address for audio in cluster.audios], ["--queue-seconds=30"])
    gateway.start()
    try:
        gateway.wait_until_ready()
        yield gateway
    finally:
        gateway.end()


def test_where_the_setting_allows_it_new_streams_wait_and_interactive_ones_come_first(patient: Member) -> None:
    began: list[str] = []

    def speak(name: str, priority: str) -> None:
        with Client(patient.address) as client:
            speech = client.synthesize(SHORT, seed=SEED, priority=priority)
            began.append(name)
            speech.read()

    with Client(patient.address) as client:
        running, callers = client.synthesize(TEXT * 2, seed=SEED), []
        for k, priority in enumerate(["batch"] * 4 + ["interactive"] * 4):
            callers.append(threading.Thread(target=speak, args=(f"{priority}{k}", priority)))
            callers[-1].start()
            time.sleep(0.1)
        running.close()
        for caller in callers:
            caller.join(60)
    assert len(began) == 8
    assert began.index("batch3") > max(began.index(f"interactive{k}") for k in range(4, 8))
