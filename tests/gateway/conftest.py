"""What the tests of this folder count with."""

from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY

from gateway.metrics import GatewayMetrics


@pytest.fixture
def metrics() -> Iterator[GatewayMetrics]:
    """A gateway's metrics, in the registry until the test has ended."""
    before = set(REGISTRY._collector_to_names)
    yield GatewayMetrics()
    for collector in set(REGISTRY._collector_to_names) - before:
        REGISTRY.unregister(collector)
