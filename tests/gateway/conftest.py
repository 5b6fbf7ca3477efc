"""Gateways for the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.gateway.gateway_process import Doors, gateway_alone


@pytest.fixture(scope="session")
def lone_gateway() -> Iterator[Doors]:
    """A gateway that has nobody behind it."""
    with gateway_alone("--max-text-characters=100") as (doors, _):
        yield doors
