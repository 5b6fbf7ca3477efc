"""The demo overlay's pods really run, and a rolling upgrade of all of them under load loses nothing, nor its way back.

The speech pods begin and end with an older version of the code: twice both versions work together for a while. Both
have the same model: what one codec has begun no other can go on with.

The processes have the pods' own command lines, variables, volumes and probes, each pod a network of its own; what
Kubernetes does around them (scheduling, endpoints, rollout) is done by tests/deploy/cluster.py.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import httpx
import pytest

from swara_client import Client, Full
from tests.deploy.cluster import Cluster
from tests.deploy.network import needs_networks, network
from tests.deploy.rendering import KUBERNETES, ROOT, manifests_of
from tests.faults.cluster import RESUME_KEY
from tests.faults.crowd import Crowd, assert_law_one
from tests.stack.doors import PATIENCE_SECONDS, SHORT, patiently, wait_until

pytestmark = [
    pytest.mark.deploy,
    pytest.mark.timeout(900),
    needs_networks,
]
LISTENERS = 2
# The first commit with these manifests. From the first release on it should be the last release.
OLDER = "d6d728f"
WEIGHTS = "demo_model/weights"
# What docs/deploy.md has the operator make, so that every gateway goes on with what another began.
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "swara-keys"},
    "stringData": {"resume-key": RESUME_KEY},
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with network() as net:
        manifests = [*manifests_of(KUBERNETES / "overlays/cpu-demo"), SECRET]
        made = Cluster(manifests, net, tmp_path_factory.mktemp("pods"))
        made.deployments["swara-speech"].code = older_version()
        with made.running():
            yield made


@cache
def older_version() -> Path:
    """A checkout of the older version with this one's model; this one where the history does not reach back to it."""
    folder = ROOT / "build" / "older"
    folder.mkdir(parents=True, exist_ok=True)
    archive = subprocess.run(["git", "archive", OLDER], cwd=ROOT, capture_output=True)
    if archive.returncode:
        return ROOT
    subprocess.run(["tar", "--extract", "--directory", str(folder)], input=archive.stdout, check=True)
    shutil.copytree(ROOT / WEIGHTS, folder / WEIGHTS, dirs_exist_ok=True)
    return folder


def gateways(cluster: Cluster) -> list[str]:
    return cluster.addresses("swara-gateway-each", 50051)


def test_the_pods_of_the_demo_overlay_speak_at_every_door(cluster: Cluster) -> None:
    for address in gateways(cluster):
        with Client(address) as client:
            assert patiently(lambda client=client: client.synthesize(SHORT, seed=7)).read().any()
        http = f"http://{address.replace('50051', '8080')}"
        wait_until(lambda http=http: httpx.get(f"{http}/readyz").status_code == 200, PATIENCE_SECONDS)
        assert len(patiently(lambda http=http: spoken(http))) > 48_000


def spoken(http: str) -> bytes:
    """PCM of the HTTP door; raises Full."""
    body = {"input": SHORT, "seed": 7, "response_format": "pcm"}
    answer = httpx.post(f"{http}/v1/audio/speech", json=body, timeout=PATIENCE_SECONDS)
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise Full(answer.text)
    return answer.raise_for_status().content


def test_metrics_are_served_at_the_ports_that_are_scraped(cluster: Cluster) -> None:
    speech, gateway = cluster.deployments["swara-speech"].pods[0], cluster.deployments["swara-gateway"].pods[0]
    for pod, port, metric in (
        (gateway, 9101, "swara_gateway_active_streams"),
        (speech, 9102, "swara_audio_active_streams"),
        (speech, 9103, "swara_token_capacity_streams"),
    ):
        assert metric in httpx.get(f"http://{pod.address}:{port}/metrics", timeout=PATIENCE_SECONDS).text


def test_a_container_runs_as_nobody_on_a_read_only_root(cluster: Cluster) -> None:
    pod = cluster.deployments["swara-speech"].pods[0]
    for container in pod.containers:
        status = Path(f"/proc/{container.pid}/status").read_text()
        assert "Uid:\t65532\t65532\t65532\t65532" in status
        assert "CapEff:\t0000000000000000" in status
        assert "NoNewPrivs:\t1" in status
        root = next(
            line for line in Path(f"/proc/{container.pid}/mountinfo").read_text().splitlines() if line.split()[4] == "/"
        )
        assert root.split()[5].startswith("ro")


def test_a_rolling_upgrade_of_every_speech_pod_under_load_loses_nothing(cluster: Cluster) -> None:
    roll_out_under_load(cluster, ROOT, "upgrade")


def test_rolling_back_to_the_older_version_under_load_loses_nothing_either(cluster: Cluster) -> None:
    roll_out_under_load(cluster, older_version(), "rollback")


def roll_out_under_load(cluster: Cluster, code: Path, direction: str) -> None:
    """Every speech pod is replaced by one of `code` while listeners ask again and again; prints what they heard."""
    speech = cluster.deployments["swara-speech"]
    speech.code = code
    before_ended = len(speech.ended)
    crowd = Crowd(gateways(cluster), LISTENERS)
    with crowd.asking():
        wait_until(lambda: len(crowd.told) >= LISTENERS, 2 * PATIENCE_SECONDS)
        before = len(crowd.told)
        speech.rollout()
        during = len(crowd.told) - before
        wait_until(lambda: len(crowd.told) >= before + during + LISTENERS, 2 * PATIENCE_SECONDS)
    assert crowd.lost == []
    assert during >= LISTENERS
    for told in crowd.told:
        assert_law_one(told)
    ended = speech.ended[before_ended:]
    assert len(ended) == 2
    for pod in ended:
        assert [(c.name, c.exit_code, c.killed) for c in pod.containers] == [("audio", 0, False), ("token", 0, False)]
    assert cluster.failed_liveness == []
    print(json.dumps({"direction": direction, "during_rollout": during, **heard(crowd)}))


def heard(crowd: Crowd) -> dict[str, float]:
    """What a crowd heard, as figures."""
    return {
        "speeches": len(crowd.told),
        "refused": len(crowd.refused_seconds),
        "longest_gap_seconds": round(max(told.gap_seconds for told in crowd.told), 2),
        "underruns": crowd.underruns,
    }


def test_a_gateway_that_is_replaced_under_load_loses_nothing_either(cluster: Cluster) -> None:
    crowd = Crowd(gateways(cluster), LISTENERS)
    with crowd.asking():
        wait_until(lambda: len(crowd.told) >= 1, 2 * PATIENCE_SECONDS)
        gateways_now = cluster.deployments["swara-gateway"]
        gateways_now.replace(gateways_now.pods[0])
        wait_until(lambda: len(crowd.told) >= 3, 2 * PATIENCE_SECONDS)
    assert crowd.lost == []
    assert [(c.exit_code, c.killed) for pod in gateways_now.ended for c in pod.containers] == [(0, False)]
