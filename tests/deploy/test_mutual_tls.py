"""The component mutual-tls: it fits every overlay, and pods that have it speak with each other and with nobody else."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
import yaml

from swara.tls import NAME, Certificate
from swara_client import Client
from tests.deploy.cluster import Cluster
from tests.deploy.network import needs_networks, network
from tests.deploy.rendering import KUBERNETES, OVERLAYS, Manifest, containers_of, manifests_of, pod_templates
from tests.deploy.test_schemas import VERSIONS, errors
from tests.faults.cluster import RESUME_KEY
from tests.security.test_tls import answers
from tests.stack.doors import SHORT

pytestmark = pytest.mark.deploy

COMPONENT = KUBERNETES / "components/mutual-tls"


def encrypted(overlay: Path, folder: Path, **fields: object) -> list[Manifest]:
    """An overlay with the component, and with other fields of a kustomization."""
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [os.path.relpath(overlay, folder)],
        "components": [os.path.relpath(COMPONENT, folder)],
        **fields,
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return manifests_of(folder)


def certificates(manifests: list[Manifest]) -> dict[str, Manifest]:
    """What cert-manager is asked for, by the secret that it makes."""
    return {m["spec"]["secretName"]: m["spec"] for m in manifests if m["kind"] == "Certificate"}


every_overlay = pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda overlay: overlay.name)


@every_overlay
def test_it_makes_of_every_overlay_what_kubernetes_knows(overlay: Path, tmp_path: Path) -> None:
    manifests = encrypted(overlay, tmp_path)
    assert [error for version in VERSIONS for error in errors(manifests, version)] == []


@every_overlay
def test_every_service_has_its_certificate_and_is_asked_for_its_health_where_it_speaks_no_tls(
    overlay: Path, tmp_path: Path
) -> None:
    manifests = encrypted(overlay, tmp_path)
    for workload, template in pod_templates(manifests):
        gateway = workload["metadata"]["name"] == "swara-gateway"
        secrets = {volume.get("secret", {}).get("secretName") for volume in template["spec"]["volumes"]}
        assert ("swara-gateway-inside" if gateway else "swara-speech-inside") in secrets
        for container in containers_of(template):
            mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
            assert mounts["inside"] == "/etc/swara-inside"
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                assert set(container[probe]) & {"grpc", "exec"} == ({"grpc"} if gateway else {"exec"})
                assert gateway or container[probe]["exec"]["command"][-1].startswith(f"unix:{mounts['sockets']}/")


def test_certificates_carry_the_name_that_callers_look_for_and_come_from_one_authority(tmp_path: Path) -> None:
    manifests = encrypted(KUBERNETES / "overlays/snac-tier", tmp_path)
    asked = certificates(manifests)
    authority = asked.pop("swara-inside-ca")
    issuers = {m["metadata"]["name"]: m["spec"] for m in manifests if m["kind"] == "Issuer"}
    assert issuers[authority["issuerRef"]["name"]] == {"selfSigned": {}}
    assert authority["isCA"] is True
    for spec in asked.values():
        assert spec["dnsNames"] == [NAME]
        assert {"server auth", "client auth"} <= set(spec["usages"])
        assert issuers[spec["issuerRef"]["name"]] == {"ca": {"secretName": "swara-inside-ca"}}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def cluster(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two gateways and a speech pod of the demo overlay, with certificates as cert-manager would make them."""
    folder = tmp_path_factory.mktemp("pods")
    manifests = encrypted(KUBERNETES / "overlays/cpu-demo", folder, replicas=[{"name": "swara-speech", "count": 1}])
    asked = {name: spec["dnsNames"] for name, spec in certificates(manifests).items() if "dnsNames" in spec}
    papers = [secret(name, certificate(authority, names, authority)) for name, names in asked.items()]
    with network() as net:
        made = Cluster([*manifests, *papers, secret("swara-keys", {"resume-key": RESUME_KEY})], net, folder)
        with made.running():
            yield made


def certificate(issuer: trustme.CA, names: list[str], believed: trustme.CA) -> dict[str, str]:
    """A new certificate as the files of a secret; `believed` is the authority of the other side."""
    issued = issuer.issue_cert(*names)
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    pems = {"tls.crt": chain, "tls.key": issued.private_key_pem.bytes(), "ca.crt": believed.cert_pem.bytes()}
    return {name: pem.decode() for name, pem in pems.items()}


def secret(name: str, files: dict[str, str]) -> Manifest:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": files}


def written(files: dict[str, str], folder: Path) -> Certificate:
    """The same as files."""
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    return Certificate(*(folder / name for name in ("tls.crt", "tls.key", "ca.crt")))


@needs_networks
def test_pods_with_certificates_speak_and_pass_listeners_on(cluster: Cluster) -> None:
    one, other = cluster.addresses("swara-gateway-each", 50051)
    with Client(one) as owner, Client(other) as elsewhere:
        speech = owner.synthesize(SHORT, seed=7, shareable=True)
        with elsewhere.listen(speech.started.synthesis_id) as joined:
            said = speech.read()
            assert said.any()
            assert joined.read().tobytes() == said.tobytes()
    assert cluster.failed_liveness == []


@needs_networks
def test_pods_answer_who_has_a_certificate_of_theirs_and_nobody_else(
    cluster: Cluster, authority: trustme.CA, tmp_path: Path
) -> None:
    mine = written(certificate(authority, [NAME], authority), tmp_path / "mine")
    strangers = written(certificate(trustme.CA(), [NAME], authority), tmp_path / "strangers")
    speech, gateway = (cluster.deployments[name].pods[0].address for name in ("swara-speech", "swara-gateway"))
    for address in (f"{speech}:50052", f"{speech}:50053", f"{gateway}:50054"):
        assert answers(address, mine)
        assert not answers(address, None)
        assert not answers(address, strangers)
