"""Two pairs of services and a gateway, a Prometheus that scrapes them each second, an Alertmanager."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from benchmarks.monitoring import Monitoring, Target
from tests.faults.cluster import Cluster
from tests.faults.crowd import Crowd

# Hours of the rules are minutes here, and minutes seconds.
SCALE = 60.0
TEXT = "आज सुबह से बहुत तेज़ बारिश हो रही है।"


@pytest.fixture(scope="session")
def shared_cluster() -> Iterator[Cluster]:
    with Cluster(pairs=2, gateways=1) as running:
        yield running


@pytest.fixture
def cluster(shared_cluster: Cluster) -> Cluster:
    """All replicas up and idle, whatever a test has done to them."""
    shared_cluster.revive()
    return shared_cluster


@pytest.fixture(scope="session")
def monitoring(shared_cluster: Cluster) -> Iterator[Monitoring]:
    pairs = zip(shared_cluster.audios, shared_cluster.tokens, strict=True)
    targets = [Target(member.metrics_port, f"speech-{k}") for k, pair in enumerate(pairs) for member in pair]
    targets += [Target(gateway.metrics_port, f"gateway-{k}") for k, gateway in enumerate(shared_cluster.gateways)]
    with Monitoring(targets, SCALE) as running:
        yield running


@contextmanager
def load(cluster: Cluster, listeners: int) -> Iterator[Crowd]:
    """So many ask again and again, and one more for MP3 over HTTP."""
    crowd, over = Crowd(cluster.addresses, listeners), threading.Event()
    with ThreadPoolExecutor(1) as thread:
        asking = thread.submit(ask_for_mp3, cluster, over)
        try:
            with crowd.asking():
                yield crowd
        finally:
            over.set()
            asking.result()


def ask_for_mp3(cluster: Cluster, over: threading.Event) -> None:
    flag = next(flag for flag in cluster.gateways[0].arguments if flag.startswith("--http-address="))
    url = f"http://{flag.removeprefix('--http-address=')}/v1/audio/speech"
    while not over.wait(1.0):
        httpx.post(url, json={"model": "tts-1", "voice": "alloy", "input": TEXT}, timeout=120.0)
