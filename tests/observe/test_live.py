"""Real services under load, broken one way after the other, and what a real Prometheus and Alertmanager say to it."""

import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from benchmarks.boards import WINDOW, Span, empty, filled, now
from benchmarks.monitoring import Monitoring
from benchmarks.observe import held_up
from deploy.grafana import listeners
from deploy.grafana.boards import BOARDS
from tests.faults.cluster import Cluster
from tests.faults.crowd import Crowd
from tests.observe.conftest import load

pytestmark = [pytest.mark.observe, pytest.mark.timeout(1_500)]

# What an operator may have to wait until the listeners' dashboard shows it.
SEEN_SECONDS = 30.0
# Two windows of the rules and Alertmanager's own wait, with time running 60 times as fast.
FIRED_SECONDS = 90.0
# The fast burn's long window: what was wrong in the test before has been forgotten after it.
FORGOTTEN_SECONDS = 150.0


def test_no_panel_is_empty_under_load(cluster: Cluster, monitoring: Monitoring) -> None:
    start = now()

    def empty_ones() -> list[str]:
        return [line for board in BOARDS for line in empty(monitoring, board, Span(start, now()))]

    with load(cluster, listeners=2):
        # Histograms of finished speeches need some to have finished.
        wait_until(lambda: not empty_ones(), 120, lambda: "\n".join(empty_ones()))


def test_a_slowed_codec_is_seen_and_pages(cluster: Cluster, monitoring: Monitoring) -> None:
    forgotten(monitoring, "SwaraCodecSlow", "SwaraGapBurn")
    unseen(monitoring, "Gaps")
    # A codec at a thirtieth of its speed may be silent until a speech is given up: that is not asked here.
    with Crowd(cluster.addresses, 2).asking(), ExitStack() as fault:
        wait_until(lambda: panel(monitoring, "Streams") > 0, SEEN_SECONDS)
        for audio in cluster.audios:
            fault.enter_context(held_up(audio.running.pid))
        seen(monitoring, "Gaps")
        fired(monitoring, "SwaraCodecSlow")
        fired(monitoring, "SwaraGapBurn")


def test_a_full_engine_is_seen_and_pages(cluster: Cluster, monitoring: Monitoring) -> None:
    forgotten(monitoring, "SwaraStreamsRefused", "SwaraAvailabilityBurn")
    with load(cluster, listeners=cluster.places() + 6):
        wait_until(lambda: panel(monitoring, "Requests by how they ended", 'outcome="full"') > 0, SEEN_SECONDS)
        fired(monitoring, "SwaraStreamsRefused")
        fired(monitoring, "SwaraAvailabilityBurn")


def test_a_dead_replica_is_seen_and_pages(cluster: Cluster, monitoring: Monitoring) -> None:
    forgotten(monitoring, "SwaraReplicaUnreachable", "SwaraTargetDown")
    unseen(monitoring, "Replicas out of reach")
    with load(cluster, listeners=1):
        cluster.audios[0].kill()
        cluster.tokens[0].kill()
        seen(monitoring, "Replicas out of reach")
        fired(monitoring, "SwaraReplicaUnreachable")
        fired(monitoring, "SwaraTargetDown")
    cluster.revive()
    forgotten(monitoring, "SwaraReplicaUnreachable", "SwaraTargetDown")


def panel(monitoring: Monitoring, title: str, label: str = "") -> float:
    """The largest value that a panel of the listeners' dashboard shows now."""
    panels = [panel for _, panels in listeners.BOARD.rows for panel in panels]
    queries = next(panel.queries for panel in panels if panel.title == title)
    name, _, value = label.replace('"', "").partition("=")
    found = [
        series.points[-1][1]
        for query in queries
        for series in monitoring.query(filled(query.expr, WINDOW))
        if not label or series.labels.get(name) == value
    ]
    return max(found, default=0.0)


def seen(monitoring: Monitoring, title: str) -> None:
    wait_until(lambda: panel(monitoring, title) > 0, SEEN_SECONDS, lambda: f"{title} shows nothing")


def unseen(monitoring: Monitoring, title: str) -> None:
    wait_until(lambda: panel(monitoring, title) == 0, SEEN_SECONDS, lambda: f"{title} shows something")


def fired(monitoring: Monitoring, alert: str) -> None:
    wait_until(lambda: alert in monitoring.pages(), FIRED_SECONDS, lambda: f"{alert} not in {monitoring.pages()}")


def forgotten(monitoring: Monitoring, *alerts: str) -> None:
    """None of them fires before anything is broken."""
    wait_until(lambda: not monitoring.pages() & set(alerts), FORGOTTEN_SECONDS, lambda: f"{monitoring.pages()}")


def wait_until(holds: Callable[[], bool], seconds: float, otherwise: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {otherwise()}"
        time.sleep(0.5)
