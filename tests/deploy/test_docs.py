"""Every command of the operator's pages: what can run here runs, and what needs a cluster is understood by kubectl."""

import os
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from gateway.settings import GatewaySettings
from tests.deploy.rendering import ROOT, manifests_of, text_of, tool

pytestmark = pytest.mark.deploy

PAGES = [
    (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    for name in ("deploy", "metrics", "runbook", "scaling", "configuration")
]
PAGE = PAGES[0]
COMMANDS = [
    line for page in PAGES for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()
]
# Nobody listens there: a command that kubectl understands fails at the connection, and no earlier.
NO_CLUSTER = "https://127.0.0.1:1"
RENDERED = re.compile(r"kubectl kustomize (\S+) \| (sed .*) \| kubectl apply --filename -")


def of(start: str) -> list[str]:
    """The commands that begin so."""
    found = [command for command in COMMANDS if command.startswith(start)]
    assert found, start
    return found


def run(command: str, folder: Path = ROOT, **variables: str) -> "subprocess.CompletedProcess[str]":
    path = f"{Path(tool('kubectl')).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "KUBECONFIG": "/dev/null", **variables}
    return subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True)


def test_there_are_ten_commands_to_the_first_audio() -> None:
    first = re.search(r"## Ten commands.*?```sh\n(.*?)```", PAGE, re.DOTALL)
    assert first
    assert len(first[1].splitlines()) == 10


def test_every_command_is_of_a_kind_that_is_tested_here() -> None:
    kinds = ("for image in", "kubectl ", "export SWARA_API_KEY=", ".venv/bin/swara say", "docker compose", "MODELS=")
    kinds += ("sudo ", "echo SWARA_", "curl ", ".venv/bin/python -m deploy.")
    # Prometheus itself is the test tier observe's.
    kinds += ("prometheus --", "prometheus-alertmanager --")
    assert [command for command in COMMANDS if not command.startswith(kinds)] == []


def test_the_images_that_are_built_are_those_that_are_deployed() -> None:
    lists = [re.match(r"for image in ([^;]+);", command) for command in of("for image in")]
    built, *others = [set(names[1].split()) for names in lists if names]
    for name in built.union(*others):
        assert (ROOT / f"deploy/docker/{name}.Dockerfile").exists()
    wanted = {match[1] for command in of("kubectl kustomize") for match in re.finditer(r"deploy/k8s/(\S+)", command)}
    for folder in wanted:
        assert set(re.findall(r"image: swara/([\w.-]+):", text_of(ROOT / "deploy/k8s" / folder))) <= built


@pytest.mark.parametrize("command", [command for command in COMMANDS if RENDERED.match(command)])
def test_what_is_piped_to_kubectl_is_all_from_the_named_registry(command: str) -> None:
    rendered, _, _ = command.rpartition(" | ")
    done = run(rendered, REGISTRY="registry.example.com/swara")
    assert done.returncode == 0, done.stderr
    images = re.findall(r"image: (\S+)", done.stdout)
    assert images
    assert all(image.startswith("registry.example.com/swara/") for image in images), images


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if c.startswith("kubectl ") and not RENDERED.match(c) and "create secret" not in c]
)
def test_kubectl_understands_what_needs_a_cluster(command: str, tmp_path: Path) -> None:
    write_mine(tmp_path / "mine")
    words = shlex.split(command)
    done = run(
        shlex.join([words[0], f"--server={NO_CLUSTER}", "--token=none", *words[1:]]).replace(
            "deploy/k8s", f"{ROOT}/deploy/k8s"
        ),
        tmp_path,
    )
    assert done.returncode != 0
    assert re.search(r"127\.0\.0\.1:1\b.*(refused|connect)", done.stderr), done.stderr


def write_mine(folder: Path) -> None:
    """The overlay of one's own that the page shows, beside our checkout."""
    folder.mkdir()
    (block,) = re.findall(r"```yaml\n(# mine/kustomization.yaml.*?)```", PAGE, re.DOTALL)
    (folder / "kustomization.yaml").write_text(block.replace("../deploy", os.path.relpath(ROOT / "deploy", folder)))


def test_the_overlay_of_ones_own_has_its_registry_its_settings_and_its_components(tmp_path: Path) -> None:
    write_mine(tmp_path / "mine")
    manifests = manifests_of(tmp_path / "mine")
    assert re.findall(r"image: (?!registry.example.com)", yaml.safe_dump_all(manifests)) == []
    assert {"ScaledObject", "PodMonitor", "HTTPRoute"} <= {manifest["kind"] for manifest in manifests}
    speech = next(m for m in manifests if m["kind"] == "ConfigMap" and m["metadata"]["name"].startswith("swara-speech"))
    assert speech["data"]["SWARA_TOKEN_MAX_STREAMS"] == "96"


def test_the_secrets_are_those_that_pods_ask_for(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text("")
    made: dict[str, set[str]] = {}
    for command in of("kubectl create secret"):
        done = run(f"{command} --dry-run=client --output=yaml", tmp_path, HF_TOKEN="hf_x")
        assert done.returncode == 0, done.stderr
        secret = yaml.safe_load(done.stdout)
        made[secret["metadata"]["name"]] = set(secret["data"])
    text = text_of(ROOT / "deploy/k8s/overlays/gpu-trtllm") + text_of(ROOT / "deploy/k8s/jobs/fetch-model")
    assert set(re.findall(r"secretName: (\S+)", text)) <= set(made)
    for name, key in re.findall(r"secretKeyRef:\n\s+key: (\S+)\n\s+name: (\S+)", text):
        assert name in made[key]


def test_a_key_is_made_and_kept_hashed(tmp_path: Path) -> None:
    (command,) = of("export SWARA_API_KEY=")
    done = run(f"{command.replace('keys.toml', f'{tmp_path}/keys.toml')}; echo $SWARA_API_KEY")
    key = done.stdout.strip()
    assert len(key) > 32, done.stderr
    assert key not in (tmp_path / "keys.toml").read_text()


def test_files_that_docker_compose_is_given_are_there() -> None:
    for command in [*of("docker compose"), *of("MODELS=")]:
        for path in re.findall(r"--file (\S+)", command):
            assert (ROOT / path).exists()


def test_the_swara_command_takes_what_it_is_given() -> None:
    (command,) = of(".venv/bin/swara say")
    done = run(command.replace("127.0.0.1:50051", "127.0.0.1:1"))
    assert done.returncode != 0
    assert "usage:" not in done.stderr
    assert "127.0.0.1:1" in done.stderr


def test_what_is_installed_for_systemd_is_there_and_its_setting_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for command in of("sudo cp"):
        for path in shlex.split(command)[2:-1]:
            assert path == "-r" or (ROOT / path).exists(), path
    installed = re.search(r"--constraint (\S+) '\.\[(\S+)\]'", "\n".join(of("sudo /opt/swara/bin/pip")))
    assert installed
    assert (ROOT / installed[1]).exists()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(installed[2].split(",")) <= extras.keys()
    (setting,) = of("echo SWARA_")
    monkeypatch.setenv(*shlex.split(setting)[1].split("=", 1))
    assert GatewaySettings.load([]).access == "open"


def test_metrics_are_asked_for_where_the_gateway_has_them() -> None:
    for command in of("curl "):
        assert f":{GatewaySettings().metrics_port}/metrics" in command


def test_python_commands_run() -> None:
    for command in of(".venv/bin/python -m deploy."):
        done = run(command)
        assert done.returncode == 0, done.stderr
        assert "alert:" in done.stdout
