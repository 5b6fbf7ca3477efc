"""What the machine around the services does to them: disks that are full, clocks that jump, names that move."""

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from swara.process import free_port, grpc_ready
from tests.faults.cluster import (
    PATIENCE_SECONDS,
    READY_SECONDS,
    STOP_SECONDS,
    Cluster,
    Member,
    running,
    wait_until,
)
from tests.faults.listening import Heard, assert_same_speech, hear, hear_hits
from tests.gateway.metrics_page import counted

pytestmark = pytest.mark.faults

LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")
FAKETIME = LIBRARIES / "faketime" / "libfaketimeMT.so.1"
NSS_WRAPPER = LIBRARIES / "libnss_wrapper.so"
NAME = "audio.swara.test"

needs_faketime = pytest.mark.skipif(not FAKETIME.exists(), reason="needs Debian's faketime")
needs_nss_wrapper = pytest.mark.skipif(not NSS_WRAPPER.exists(), reason="needs Debian's libnss-wrapper")


def test_a_full_disk_under_the_logs_changes_nothing(undisturbed: Heard) -> None:
    alone = Cluster(pairs=1, gateways=1)
    with ExitStack() as stack:
        stack.callback(alone.end)
        for member in alone.members:
            stack.enter_context(logging_to_a_full_disk(member))
        for member in alone.members:
            wait_until(lambda member=member: grpc_ready(member.address), READY_SECONDS)
        alone.wait_until_known()
        assert_same_speech(hear(alone.addresses[0]), undisturbed)


@contextmanager
def logging_to_a_full_disk(member: Member) -> Iterator[None]:
    with open("/dev/full", "w") as full:
        process = subprocess.Popen([sys.executable, "-m", member.service, *member.flags], stdout=full, stderr=full)
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(STOP_SECONDS) == 0


@needs_faketime
def test_a_clock_that_jumps_an_hour_each_way_is_not_heard(undisturbed: Heard, tmp_path: Path) -> None:
    offset = tmp_path / "offset"
    offset.write_text("+0\n")
    alone = Cluster(pairs=1, gateways=1)
    for member in alone.members:
        member.environment = {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(offset),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def an_hour_ahead() -> None:
        offset.write_text("+3600\n")

    def an_hour_behind() -> None:
        offset.write_text("-3600\n")

    with alone:
        heard = hear_hits(alone.addresses[0], {3: an_hour_behind, 8: an_hour_ahead})
        assert_same_speech(heard, undisturbed)
        assert_same_speech(hear(alone.addresses[0]), undisturbed)


@needs_nss_wrapper
def test_replicas_that_come_and_go_in_dns_are_used_and_left(
    cluster: Cluster, undisturbed: Heard, tmp_path: Path
) -> None:
    hosts, port = tmp_path / "hosts", free_port()
    first, second = (cluster.audio(f"127.0.0.{2 + k}:{port}", token) for k, token in enumerate(cluster.tokens))
    gateway = cluster.gateway([f"dns:///{NAME}:{port}"])
    gateway.environment = {"LD_PRELOAD": str(NSS_WRAPPER), "NSS_WRAPPER_HOSTS": str(hosts)}

    seconds = itertools.count(1)

    def point_at(*members: Member) -> None:
        """As a whole, and at a second of its own: by that the library sees that the file is another."""
        part = hosts.with_suffix(".part")
        part.write_text("".join(f"{member.address.split(':')[0]} {NAME}\n" for member in members))
        os.utime(part, times=(now := next(seconds), now))
        os.replace(part, hosts)

    def known(replicas: int) -> None:
        serving = 'swara_gateway_audio_replicas{health="serving"}'
        wait_until(lambda: counted(gateway.metrics_port, serving) == replicas, PATIENCE_SECONDS)

    def move() -> None:
        point_at(second)

    point_at(first)
    with running(first, second, gateway):
        known(1)
        assert_same_speech(hear(gateway.address), undisturbed)
        point_at(first, second)
        known(2)
        assert_same_speech(hear(gateway.address, move), undisturbed)
        known(1)
        first.kill()
        assert_same_speech(hear(gateway.address), undisturbed)
