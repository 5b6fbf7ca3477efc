import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, metrics
from prometheus_client.metrics import MetricWrapperBase

from audio_service.metrics import Metrics
from gateway.access.key_metrics import MeteredLedger
from gateway.access.usage import Usage
from gateway.metrics import GatewayMetrics
from token_service import metrics as token_metrics
from token_service.engines.base import EngineLoad

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `(swara_\w+)` \| (\w+) \| ([\w, ]*) ?\|", re.M)
ENDINGS = {"counter": "_total", "info": "_info"}


class Idle:
    """As much of an engine as its metrics look at."""

    kv_capacity_tokens = 10
    kv_free_tokens = 10

    def stepped(self, streams: int, seconds: float) -> None: ...

    def load(self) -> EngineLoad:
        return EngineLoad(0, 0, 0, 1, 0.0)


class NoLedger:
    """Keeps nothing."""

    def note(self, usage: Usage) -> None: ...


@pytest.fixture(scope="module")
def registered() -> Iterator[list[MetricWrapperBase]]:
    """Every family of the three services; they are registered in this process only once."""
    before = set(REGISTRY._collector_to_names)
    gateway = GatewayMetrics()
    gateway.watch([], 1)
    MeteredLedger(NoLedger())
    token_metrics.watch(Idle())
    audio = CollectorRegistry()
    Metrics(audio)
    known = [*REGISTRY._collector_to_names, *audio._collector_to_names]
    yield [family for family in known if isinstance(family, MetricWrapperBase) and family._name.startswith("swara_")]
    for collector in set(REGISTRY._collector_to_names) - before:
        REGISTRY.unregister(collector)


def name_of(family: MetricWrapperBase) -> str:
    return family._name + ENDINGS.get(family._type, "")


def labels_of(family: MetricWrapperBase) -> set[str]:
    return set(family._value) if isinstance(family, metrics.Info) else set(family._labelnames)


def test_every_metric_is_in_the_document_with_its_kind_and_labels(registered: list[MetricWrapperBase]) -> None:
    told = {name: (kind, set(labels.replace(" ", "").split(",")) - {""}) for name, kind, labels in rows()}
    families = {name_of(family): family for family in registered}
    assert told.keys() == families.keys()
    for name, family in families.items():
        kind, labels = told[name]
        assert kind == family._type, name
        # What a process is, is known only when it has started.
        assert kind == "info" or labels == labels_of(family), name


def test_names_are_of_their_service_and_end_in_a_base_unit(registered: list[MetricWrapperBase]) -> None:
    for family in registered:
        assert re.match(r"swara_(gateway|audio|token)_[a-z_]+$", family._name)
        assert not re.search(r"(_ms|_milliseconds|_kb|_mb|_percent)$", family._name)


def rows() -> list[tuple[str, str, str]]:
    return ROW.findall((ROOT / "docs/metrics.md").read_text(encoding="utf-8"))
