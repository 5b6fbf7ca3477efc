"""Two of each service for the whole tier; before each test all of them run and are idle."""

import json
from collections.abc import Iterator

import pytest

from tests.faults.cluster import Cluster
from tests.faults.listening import FIGURES, Heard, hear


@pytest.fixture(scope="session")
def shared_cluster() -> Iterator[Cluster]:
    with Cluster() as running:
        yield running


@pytest.fixture
def cluster(shared_cluster: Cluster, undisturbed: Heard) -> Iterator[Cluster]:
    shared_cluster.revive()
    yield shared_cluster
    for member in shared_cluster.members:
        member.thaw()


@pytest.fixture(scope="session")
def undisturbed(shared_cluster: Cluster) -> Heard:
    """How the text sounds while nothing happens."""
    shared_cluster.revive()
    return hear(shared_cluster.addresses[0])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One JSON object as the last line."""
    if FIGURES:
        terminalreporter.write_line(json.dumps(FIGURES))
