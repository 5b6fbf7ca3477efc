"""Listeners who read slowly or vanish: they cost nobody else anything, and leave nothing behind."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import grpc
import httpx
import pytest

from swara.v1 import speech_service_pb2_grpc
from tests.faults.cluster import GROWTH_BYTES, PATIENCE_SECONDS, Cluster, Member, wait_until
from tests.faults.listening import TEXT, hear, note_figure, request

pytestmark = pytest.mark.faults

SILENT_SECONDS = 2
# Socket buffers, the gateway's window and its silence, at the speed at which two cores speak.
HUNG_UP_SECONDS = 50.0


@pytest.fixture
def impatient(cluster: Cluster, tmp_path: Path) -> Iterator[Member]:
    """A gateway that speaks as fast as it can and waits 2 s for its listeners; HTTP at a socket with small buffers."""
    flags = [f"--http-address=unix:{tmp_path}/http.sock", f"--silent-seconds={SILENT_SECONDS}", "--max-lead-seconds=0"]
    gateway = cluster.gateway([audio.address for audio in cluster.audios], flags)
    gateway.start()
    try:
        gateway.wait_until_ready()
        yield gateway
    finally:
        gateway.end()


def test_a_listener_who_takes_nothing_is_hung_up_on_with_a_sentence(
    cluster: Cluster, impatient: Member, tmp_path: Path
) -> None:
    hear(impatient.address)  # What is loaded at the first request is no leak.
    before = impatient.resident_bytes()
    body = {"input": TEXT * 8, "response_format": "pcm"}
    with (
        httpx.Client(transport=httpx.HTTPTransport(uds=f"{tmp_path}/http.sock"), timeout=PATIENCE_SECONDS) as client,
        client.stream("POST", "http://swara/v1/audio/speech", json=body) as answer,
    ):
        assert answer.status_code == 200
        said = "took nothing for 2 s and was hung up on"
        wait_until(lambda: any(said in line for line in impatient.lines), HUNG_UP_SECONDS)
        wait_until(lambda: not cluster.busy, 2)
    assert impatient.resident_bytes() - before < GROWTH_BYTES


@pytest.mark.parametrize(
    "cycles", [1_000, pytest.param(10_000, marks=[pytest.mark.endurance, pytest.mark.timeout(1_800)])]
)
def test_listeners_who_connect_and_vanish_leave_nothing_behind(cluster: Cluster, cycles: int) -> None:
    vanish(cluster, 20)
    cluster.wait_until_idle()
    before = {member: (member.open_files(), member.threads(), member.resident_bytes()) for member in cluster.members}
    note_figure("begun", vanish(cluster, cycles))
    cluster.wait_until_idle()
    for member, (files, threads, size_bytes) in before.items():
        wait_until(lambda member=member, files=files: member.open_files() <= files + 3, PATIENCE_SECONDS)
        wait_until(lambda member=member, threads=threads: member.threads() <= threads + 3, PATIENCE_SECONDS)
        note_figure("more_threads", member.threads() - threads)
        note_figure("more_megabytes", (member.resident_bytes() - size_bytes) / 1e6)
        assert member.resident_bytes() - size_bytes < GROWTH_BYTES


def vanish(cluster: Cluster, times: int) -> int:
    """Connects, asks, is gone; now and then before the answer, now and then after it. Returns how often it began."""
    begun = 0
    for k in range(times):
        with grpc.insecure_channel(cluster.addresses[k % 2]) as channel:
            call = speech_service_pb2_grpc.SpeechServiceStub(channel).Synthesize(
                request(TEXT), timeout=PATIENCE_SECONDS
            )
            with suppress(grpc.RpcError):
                if k % 3:
                    begun += next(iter(call)).HasField("started")
            call.cancel()
    return begun
