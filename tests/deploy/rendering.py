"""The manifests as kubectl renders them, and the tools that judge them, which `make test-deploy` installs."""

import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy" / "k8s"
OVERLAYS = sorted(path.parent for path in KUBERNETES.glob("overlays/*/kustomization.yaml"))
JOBS = sorted(path.parent for path in KUBERNETES.glob("jobs/*/kustomization.yaml"))
COMPONENTS = sorted(path.parent for path in KUBERNETES.glob("components/*/kustomization.yaml"))
# Components that stand on another overlay than gpu-native's parts.
ON_TOP_OF = {"llm-d": "overlays/snac-tier"}
# Components that an overlay has already, or that exclude one it has, are rendered on the base with what they need.
NEEDS = {
    "gpu-shared-container": ("gpu", "models-pvc"),
    "gpu-time-slicing": ("gpu", "models-pvc"),
    "gpu-mps": ("gpu", "models-pvc"),
    "gpu-dra": ("gpu", "models-pvc"),
    "gpu": ("models-pvc",),
    "snac-tier": ("models-pvc",),
    "models-image": ("gpu",),
}

Manifest = dict[str, Any]


def tool(name: str) -> str:
    """The path of one of the tools."""
    return str(ROOT / ".venv-deploy" / "bin" / name)


@cache
def text_of(folder: Path) -> str:
    """What `kubectl kustomize` makes of a folder; fails with what it says."""
    done = subprocess.run([tool("kubectl"), "kustomize", str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, f"{folder}: {done.stderr}"
    assert "Warning" not in done.stderr, done.stderr
    return done.stdout


def manifests_of(folder: Path) -> list[Manifest]:
    """The same as values, a new copy for each caller."""
    return [manifest for manifest in yaml.safe_load_all(text_of(folder)) if manifest]


def composed(component: Path, folder: Path) -> Path:
    """A kustomization in `folder` that has the component, on top of what it needs."""
    base = ON_TOP_OF.get(component.name, "base")
    parts = [KUBERNETES / "components" / name for name in NEEDS.get(component.name, ())]
    # Volumes come last: they add to what the others have made.
    parts = sorted([*parts, component], key=lambda part: part.name.startswith("models-"))
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [os.path.relpath(KUBERNETES / base, folder)],
        "components": [os.path.relpath(part, folder) for part in parts],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return folder


def pod_templates(manifests: list[Manifest]) -> Iterator[tuple[Manifest, Manifest]]:
    """Every workload with its pod's template."""
    for manifest in manifests:
        if template := manifest.get("spec", {}).get("template"):
            yield manifest, template


def containers_of(template: Manifest) -> list[Manifest]:
    """All containers of a pod, sidecars and other init containers first."""
    return [*(template["spec"].get("initContainers") or []), *template["spec"]["containers"]]


def variables_of(container: Manifest, manifests: list[Manifest]) -> dict[str, str]:
    """The container's variables: those of its ConfigMaps, then its own; what is in no manifest is empty."""
    configurations = {m["metadata"]["name"]: m["data"] for m in manifests if m["kind"] == "ConfigMap"}
    variables: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        variables |= configurations[source["configMapRef"]["name"]]
    return variables | {item["name"]: _value(item, manifests) for item in container.get("env", ())}


def _value(item: Manifest, manifests: list[Manifest]) -> str:
    wanted = item.get("valueFrom", {}).get("secretKeyRef")
    secrets = {m["metadata"]["name"]: m["stringData"] for m in manifests if m["kind"] == "Secret"}
    return secrets.get(wanted["name"], {}).get(wanted["key"], "") if wanted else item.get("value", "")
