"""Every overlay, job and component against Kubernetes' own schemas, the custom resources' and checkov's policies."""

import json
import subprocess
from functools import cache
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from tests.deploy import crds
from tests.deploy.rendering import COMPONENTS, JOBS, OVERLAYS, Manifest, composed, manifests_of, text_of, tool

pytestmark = pytest.mark.deploy

VERSIONS = ("1.34", "1.35", "1.36", "1.37")
# Checkov's rules that do not fit, each with its reason.
NOT_OURS = {
    "CKV_K8S_11": "no CPU limit: throttling comes in tenths of a second, which can be heard",
    "CKV_K8S_43": "image digests are set by the overlay of whoever pushes the images",
    "CKV_K8S_35": "the services take settings from variables; the secret is mounted into one process alone",
    "CKV_K8S_15": "images have versions, which are never pushed twice: pulling always would add to every start",
    "CKV_K8S_8": "Jobs end by themselves",
    "CKV_K8S_9": "Jobs serve nobody",
}


@cache
def schema_folder() -> Path:
    """Where the package kubernetes-validate has its schemas."""
    code = "import kubernetes_validate, os; print(os.path.dirname(kubernetes_validate.__file__))"
    found = subprocess.run([tool("python"), "-c", code], capture_output=True, text=True, check=True)
    return Path(found.stdout.strip()) / "kubernetes-json-schema"


@cache
def kubernetes_validator(version: str, name: str) -> Draft7Validator:
    folder = schema_folder() / f"v{version}.0-local-strict"

    def retrieve(uri: str) -> Resource[object]:
        return Resource.opaque(json.loads((folder / Path(uri).name).read_text()))

    schema = json.loads((folder / f"{name}.json").read_text())
    return Draft7Validator(schema, registry=Registry(retrieve=retrieve))


def validator(manifest: Manifest, version: str) -> Draft7Validator:
    if custom := crds.schema_of(manifest["apiVersion"], manifest["kind"]):
        return Draft7Validator(custom)
    group, _, number = manifest["apiVersion"].rpartition("/")
    parts = [manifest["kind"].lower(), *([group.split(".")[0]] if group else []), number]
    return kubernetes_validator(version, "-".join(parts))


def errors(manifests: list[Manifest], version: str) -> list[str]:
    """Every error of every resource."""
    return [
        f"{manifest['kind']} {manifest['metadata']['name']}: {'.'.join(map(str, error.path))}: {error.message[:200]}"
        for manifest in manifests
        for error in validator(manifest, version).iter_errors(manifest)
    ]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("folder", [*OVERLAYS, *JOBS], ids=lambda folder: folder.name)
def test_every_resource_of_an_overlay_is_what_kubernetes_knows(folder: Path, version: str) -> None:
    assert errors(manifests_of(folder), version) == []


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.name)
def test_every_component_gives_what_kubernetes_knows(component: Path, tmp_path: Path) -> None:
    manifests = manifests_of(composed(component, tmp_path))
    assert [error for version in VERSIONS for error in errors(manifests, version)] == []


def test_a_misspelled_field_and_a_wrong_type_are_found() -> None:
    """What the tests above would say of a mistake, in ours and in others' resources."""
    manifests = manifests_of(OVERLAYS[0])
    deployment = next(manifest for manifest in manifests if manifest["kind"] == "Deployment")
    deployment["spec"]["template"]["spec"]["containers"][0]["livenessProbes"] = {}
    deployment["spec"]["replicas"] = "two"
    assert len(errors([deployment], "1.34")) == 2
    pool = {"apiVersion": "inference.networking.k8s.io/v1", "kind": "InferencePool", "metadata": {"name": "a"}}
    assert len(errors([pool | {"spec": {"extensionRef": {"name": "b"}}}], "1.34")) == 4


@pytest.mark.timeout(900)
def test_no_policy_of_checkov_is_broken_without_a_reason(tmp_path: Path) -> None:
    for folder in (*OVERLAYS, *JOBS):
        (tmp_path / f"{folder.name}.yaml").write_text(text_of(folder))
    command = [tool("checkov"), "--directory", str(tmp_path), "--framework", "kubernetes", "--skip-download"]
    command += ["--output", "json", "--skip-check", ",".join(NOT_OURS)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True).stdout)
    assert found["summary"]["passed"] > 500
    failed = found["results"]["failed_checks"]
    assert [f"{check['check_id']} {check['check_name']} {check['file_path']}" for check in failed] == []
