"""Gateways for the tests of this folder."""

from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY

from gateway.metrics import GatewayMetrics
from tests.gateway.gateway_process import Doors, gateway_alone


@pytest.fixture
def metrics() -> Iterator[GatewayMetrics]:
    """A gateway's metrics, in the registry until the test has ended."""
    before = set(REGISTRY._collector_to_names)
    yield GatewayMetrics()
    for collector in set(REGISTRY._collector_to_names) - before:
        REGISTRY.unregister(collector)


@pytest.fixture(scope="session")
def lone_gateway() -> Iterator[Doors]:
    """A gateway that has nobody behind it."""
    with gateway_alone("--max-text-characters=100") as (doors, _):
        yield doors
