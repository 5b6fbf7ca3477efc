"""What it costs to be watched."""

import os
import time
from pathlib import Path

import httpx
import pytest
import yaml

from benchmarks.monitoring import CONFIG
from swara_client import Client
from tests.faults.cluster import Cluster, Member
from tests.observe.conftest import load
from tests.stack.doors import patiently

pytestmark = [pytest.mark.observe, pytest.mark.timeout(900)]

SCRAPES = 100
STREAMS = 256


def test_scraping_costs_less_than_a_hundredth_of_a_core(cluster: Cluster) -> None:
    interval = yaml.safe_load((CONFIG / "prometheus.yaml").read_text())["global"]["scrape_interval"]
    for member in (cluster.gateways[0], cluster.audios[0], cluster.tokens[0]):
        began, before_seconds = time.monotonic(), cpu_seconds(member)
        for _ in range(SCRAPES):
            page(member)
        scraping_seconds, took_seconds = cpu_seconds(member) - before_seconds, time.monotonic() - began
        before_seconds = cpu_seconds(member)
        time.sleep(took_seconds)
        idle_seconds = cpu_seconds(member) - before_seconds
        share = (scraping_seconds - idle_seconds) / SCRAPES / float(interval.removesuffix("s"))
        print(f"{member.service}: {share:.3%} of a core")
        assert share < 0.01, f"{member.service}: {share:.2%} of a core, scraped every {interval}"


def test_256_streams_do_not_make_the_metrics_grow(cluster: Cluster) -> None:
    with load(cluster, listeners=2):
        time.sleep(10)
    for _ in range(4):
        begin_and_leave(cluster)
    before = [series(member) for member in cluster.members]
    for _ in range(STREAMS):
        begin_and_leave(cluster)
    assert [series(member) for member in cluster.members] == before


def begin_and_leave(cluster: Cluster) -> None:
    """A stream under a request id of its own, hung up on when it has spoken."""

    def spoken() -> None:
        with Client(cluster.addresses[0]) as client, client.synthesize("हाँ जी।", timeout_seconds=30) as speech:
            next(speech)

    patiently(spoken)


def series(member: Member) -> int:
    return sum(not line.startswith("#") for line in page(member).splitlines())


def page(member: Member) -> str:
    return httpx.get(f"http://127.0.0.1:{member.metrics_port}/metrics").raise_for_status().text


def cpu_seconds(member: Member) -> float:
    fields = Path(f"/proc/{member.running.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
