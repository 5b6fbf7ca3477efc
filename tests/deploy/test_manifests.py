"""What the manifests say agrees with the services: settings, ports, grace periods, who may do what."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from audio_service.settings import AudioSettings
from gateway.settings import GatewaySettings
from swara.profile import load_profile
from swara.settings import ServiceSettings
from tests.deploy.rendering import (
    COMPONENTS,
    JOBS,
    KUBERNETES,
    OVERLAYS,
    ROOT,
    Manifest,
    composed,
    containers_of,
    manifests_of,
    pod_templates,
    variables_of,
)
from token_service.engines.base import EngineSetup
from token_service.engines.registry import build_engine
from token_service.settings import TokenSettings

pytestmark = pytest.mark.deploy

DEMO = ROOT / "demo_model" / "weights" / "language_model"

SETTINGS: dict[str, tuple[type[ServiceSettings], ...]] = {
    "gateway": (GatewaySettings,),
    "audio_service": (AudioSettings,),
    "token_service": (TokenSettings,),
    "swara.pair": (TokenSettings, AudioSettings),
}
# What design.md and docs/architecture.md say.
PORTS = {
    "gateway": {"grpc": 50051, "http": 8080, "metrics": 9101},
    "audio_service": {"audio": 50052, "metrics-audio": 9102},
    "token_service": {"token": 50053, "metrics-token": 9103},
    "swara.pair": {"audio": 50052, "metrics-audio": 9102, "token": 50053, "metrics-token": 9103},
}
every_overlay = pytest.mark.parametrize("folder", [*OVERLAYS, *JOBS], ids=lambda folder: folder.name)


def services(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest, dict[str, str]]]:
    """Every container of ours: the module it runs, the container, its variables."""
    for _, template in pod_templates(manifests):
        for container in containers_of(template):
            if container["command"][0] == "python":
                yield container["command"][2], container, variables_of(container, manifests)


def assert_settings_take_every_variable(manifests: list[Manifest], monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings raise SetupError for a variable that they do not know, or for its value."""
    found = list(services(manifests))
    assert any(variables for _, _, variables in found)
    for module, _, variables in found:
        with monkeypatch.context() as patched:
            for name, value in variables.items():
                patched.setenv(name, value)
            for settings in SETTINGS[module]:
                settings.load([])


@pytest.mark.parametrize("folder", OVERLAYS, ids=lambda folder: folder.name)
def test_every_variable_is_a_setting_that_takes_its_value(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_settings_take_every_variable(manifests_of(folder), monkeypatch)


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.name)
def test_every_variable_of_a_component_is_a_setting(
    component: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_settings_take_every_variable(manifests_of(composed(component, tmp_path)), monkeypatch)


def test_what_the_token_pods_are_told_does_not_stop_the_remote_engines_before_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifests = manifests_of(composed(KUBERNETES / "components" / "llm-d", tmp_path))
    remote = [given for _, _, given in services(manifests) if given.get("SWARA_TOKEN_ENGINE") == "remote"]
    assert remote
    for variables in remote:
        with monkeypatch.context() as patched:
            for name, value in variables.items():
                patched.setenv(name, value)
            build_engine(EngineSetup(DEMO, load_profile(DEMO), TokenSettings.load([])))


@every_overlay
def test_ports_are_those_of_the_design_and_probes_ask_one_of_them(folder: Path) -> None:
    for module, container, _ in services(manifests_of(folder)):
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert ports == PORTS[module]
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert container[probe]["grpc"]["port"] in ports.values(), probe


@every_overlay
def test_services_and_monitors_name_ports_that_pods_have(folder: Path) -> None:
    manifests = manifests_of(folder)
    names = {
        port["name"]
        for _, template in pod_templates(manifests)
        for c in containers_of(template)
        for port in c.get("ports", ())
    }
    for manifest in manifests:
        if manifest["kind"] == "Service":
            assert {port["targetPort"] for port in manifest["spec"]["ports"]} <= names


@every_overlay
def test_selectors_find_pods(folder: Path) -> None:
    manifests = manifests_of(folder)
    labels = [template["metadata"]["labels"] for _, template in pod_templates(manifests)]
    for manifest in manifests:
        spec = manifest.get("spec", {})
        wanted = spec.get("selector") if manifest["kind"] == "Service" else spec.get("selector", {}).get("matchLabels")
        if wanted:
            assert any(wanted.items() <= found.items() for found in labels), manifest["metadata"]["name"]


@every_overlay
def test_a_pod_is_given_the_time_that_its_drain_takes(folder: Path) -> None:
    """preStop and grace of the main container, then of the sidecars, and what the gateway adds for last words."""
    manifests = manifests_of(folder)
    for _, template in pod_templates(manifests):
        spec, seconds = template["spec"], 0.0
        if "restartPolicy" in spec:  # Jobs end by themselves.
            continue
        for containers in (spec["containers"], spec.get("initContainers") or []):
            seconds += max((drain_seconds(c, variables_of(c, manifests)) for c in containers), default=0.0)
        assert seconds + 2 <= spec["terminationGracePeriodSeconds"] <= seconds + 30, template["metadata"]["labels"]


def drain_seconds(container: Manifest, variables: dict[str, str]) -> float:
    pre_stop = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    graces = [float(value) for name, value in variables.items() if name.endswith("_GRACE_SECONDS")]
    mine = {"gateway": "GATEWAY", "audio_service": "AUDIO", "token_service": "TOKEN"}.get(container["command"][2])
    if mine:
        return pre_stop + float(variables[f"SWARA_{mine}_GRACE_SECONDS"])
    return pre_stop + sum(graces)


@every_overlay
def test_pods_may_do_nothing_but_serve(folder: Path) -> None:
    for _, template in pod_templates(manifests_of(folder)):
        spec = template["spec"]
        assert spec["automountServiceAccountToken"] is False
        # Kubernetes' variables for services named swara-… would be unknown settings, and the process would not start.
        assert spec["enableServiceLinks"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        for container in containers_of(template):
            security = container["securityContext"]
            assert security["readOnlyRootFilesystem"] is True
            assert security["allowPrivilegeEscalation"] is False
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert re.search(r":\d+\.\d+\.\d+$", container["image"]), container["image"]


@every_overlay
def test_what_a_container_mounts_is_a_volume_of_its_pod(folder: Path) -> None:
    for _, template in pod_templates(manifests_of(folder)):
        volumes = {volume["name"] for volume in template["spec"]["volumes"]}
        mounted = {mount["name"] for c in containers_of(template) for mount in c["volumeMounts"]}
        assert mounted == volumes


def test_in_a_sidecar_pod_the_audio_service_starts_without_the_token_service() -> None:
    """It gates the container that it would wait for."""
    pod = next(
        t for m, t in pod_templates(manifests_of(KUBERNETES / "overlays/cpu-demo")) if "speech" in m["metadata"]["name"]
    )
    (audio,) = pod["spec"]["initContainers"]
    assert audio["restartPolicy"] == "Always"
    assert audio["startupProbe"]["grpc"] == {"port": PORTS["audio_service"]["audio"]}


def test_only_one_container_of_a_default_gpu_pod_asks_for_the_gpu() -> None:
    for name in ("gpu-native", "gpu-vllm", "gpu-trtllm", "l4"):
        for manifest, template in pod_templates(manifests_of(KUBERNETES / "overlays" / name)):
            asking = [
                c["name"] for c in containers_of(template) if "nvidia.com/gpu" in c["resources"].get("limits", {})
            ]
            assert asking == (["token"] if manifest["metadata"]["name"] == "swara-speech" else [])


def queries(path: Path) -> list[str]:
    """Every PromQL expression of a file of scalers."""
    found = []
    for document in yaml.safe_load_all(path.read_text()):
        found += [trigger["metadata"]["query"] for trigger in document.get("spec", {}).get("triggers", ())]
        found += [rule["metricsQuery"] for rule in document.get("rules", {}).get("external", ())]
    return found


def test_keda_and_the_plain_autoscaler_ask_the_same() -> None:
    components = KUBERNETES / "components"
    keda, adapter = queries(components / "keda/scalers.yaml"), queries(components / "hpa/adapter-rules.yaml")
    assert keda == adapter
    assert len(keda) == 4


def test_scalers_ask_for_metrics_that_the_services_have() -> None:
    code = "".join(
        path.read_text()
        for service in ("gateway", "audio_service", "token_service")
        for path in (ROOT / service).glob("metrics*.py")
    )
    for query in queries(KUBERNETES / "components/keda/scalers.yaml"):
        for name in re.findall(r"swara_\w+", query):
            assert f'"{name.removesuffix("_total")}"' in code, name
        assert "gpu" not in query.lower()


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.name)
def test_everything_is_in_the_namespace_swara_but_what_has_none(component: Path, tmp_path: Path) -> None:
    for manifest in manifests_of(composed(component, tmp_path)):
        expected = None if manifest["kind"] in ("Namespace", "PriorityClass") else "swara"
        assert manifest["metadata"].get("namespace") == expected, manifest["metadata"]["name"]
