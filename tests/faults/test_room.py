"""Law 6 with several replicas: Full is said at once, or after a bounded wait in a fair line; nobody stutters for it."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pytest

from swara_client import Client, Full
from tests.faults.cluster import Cluster, Member
from tests.faults.listening import SEED, TEXT, note_figure

pytestmark = pytest.mark.faults

CALLERS = 6
OVERLOAD_SECONDS = 12.0
REFUSED_SECONDS = 0.25
SHORT = "नमस्ते दोस्तों।"


@dataclass
class Tallies:
    """What the callers of an overload saw; times in seconds."""

    refused_seconds: list[float] = field(default_factory=list)
    underruns: list[int] = field(default_factory=list)


def test_past_the_last_place_everybody_is_refused_at_once_and_those_inside_do_not_stutter(cluster: Cluster) -> None:
    tallies = Tallies()
    until = time.monotonic() + OVERLOAD_SECONDS
    with Client(cluster.addresses[0]) as client, ThreadPoolExecutor(CALLERS) as callers:
        for call in [callers.submit(keep_asking, client, until, tallies) for _ in range(CALLERS)]:
            call.result()
    cluster.wait_until_idle()
    refused = np.array(tallies.refused_seconds)
    note_figure("spoken", len(tallies.underruns))
    note_figure("underruns", sum(tallies.underruns))
    note_figure("refused", len(refused))
    note_figure("refused_p95_seconds", float(np.quantile(refused, 0.95)))
    note_figure("refused_max_seconds", float(refused.max()))
    assert len(tallies.underruns) >= 2
    assert sum(tallies.underruns) == 0
    assert np.quantile(refused, 0.95) < REFUSED_SECONDS


def keep_asking(client: Client, until: float, tallies: Tallies) -> None:
    """Asks again as soon as it has been spoken to, and half a second after it was refused."""
    while time.monotonic() < until:
        asked = time.monotonic()
        try:
            speech = client.synthesize(TEXT, seed=SEED)
        except Full:
            tallies.refused_seconds.append(time.monotonic() - asked)
            time.sleep(0.5)
            continue
        speech.read()
        assert speech.playback
        tallies.underruns.append(speech.playback.underruns)


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
