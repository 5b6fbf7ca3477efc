"""One machine without Kubernetes: Dockerfiles, the Compose files and the systemd units."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from audio_service.settings import AudioSettings
from gateway.settings import GatewaySettings
from swara.settings import ServiceSettings
from tests.deploy.rendering import ROOT, tool
from token_service.settings import TokenSettings

pytestmark = pytest.mark.deploy

DOCKER = ROOT / "deploy" / "docker"
DOCKERFILES = sorted(DOCKER.glob("*.Dockerfile"))
COMPOSE = [ROOT / "deploy" / name for name in ("compose.yaml", "compose.gpu.yaml")]
UNITS = sorted((ROOT / "deploy" / "systemd").iterdir())
SETTINGS: dict[str, type[ServiceSettings]] = {
    "token": TokenSettings,
    "audio": AudioSettings,
    "gateway": GatewaySettings,
}
every_dockerfile = pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.stem)


@every_dockerfile
def test_hadolint_has_nothing_to_say(path: Path) -> None:
    done = subprocess.run(
        [tool("hadolint"), "--config", str(DOCKER / ".hadolint.yaml"), str(path)], capture_output=True
    )
    assert done.returncode == 0, done.stdout.decode()


@every_dockerfile
def test_an_image_runs_as_nobody_and_pins_what_it_is_made_of(path: Path) -> None:
    text = path.read_text()
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE)[-1] == "65532:65532"
    for base in re.findall(r"^(?:ARG BASE=|FROM )(\S+)", text, re.MULTILINE):
        assert base in ("${BASE}", "scratch") or re.search(r":\d+\.\d+", base), base
    for installed in re.findall(r"pip install (.*)", text):
        assert re.search(r"==\d|--constraint|'\.\[token,audio,interop,tracing\]'", installed), installed


@every_dockerfile
def test_an_image_that_runs_is_built_in_two_stages_and_asks_grpc_for_its_health(path: Path) -> None:
    if path.stem != "models":
        text = path.read_text()
        assert len(re.findall(r"^FROM ", text, re.MULTILINE)) == 2
        assert re.search(r"^HEALTHCHECK .*\"swara.health\"", text, re.MULTILINE)


def test_what_is_copied_into_images_is_there() -> None:
    for path in DOCKERFILES:
        for line in re.findall(r"^COPY (?!--from)(.*)$", path.read_text(), re.MULTILINE):
            for source in line.split()[:-1] if path.stem != "models" else ():
                assert (ROOT / source).exists(), f"{path.name}: {source}"


def merged_compose() -> dict[str, Any]:
    """Both files as Compose merges what we use of them: environments add up, other fields replace."""
    first, second = (yaml.safe_load(path.read_text())["services"] for path in COMPOSE)
    return {
        name: {
            **service,
            **second.get(name, {}),
            "environment": service["environment"] | second.get(name, {}).get("environment", {}),
        }
        for name, service in first.items()
    }


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_compose_files_follow_the_compose_specification(path: Path) -> None:
    code = "import sys, compose_spec; compose_spec.PyCompose.from_json(sys.stdin.read())"
    filled = re.sub(r"\$\{\w+:([-?])([^}]*)\}", lambda m: m[2] if m[1] == "-" else "/models", path.read_text())
    resolved = json.dumps(yaml.safe_load(filled))
    done = subprocess.run([tool("python"), "-c", code], input=resolved, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "services", [yaml.safe_load(COMPOSE[0].read_text())["services"], merged_compose()], ids=["cpu", "gpu"]
)
def test_compose_gives_services_settings_that_they_have(
    services: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, service in services.items():
        with monkeypatch.context() as patched:
            for variable, value in service["environment"].items():
                patched.setenv(variable, re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value)))
            settings = SETTINGS[name].load([])
        assert float(service["stop_grace_period"].removesuffix("s")) > settings.grace_seconds


def test_systemd_knows_every_word_of_the_units() -> None:
    done = subprocess.run(["systemd-analyze", "verify", *map(str, UNITS)], capture_output=True, text=True)
    unknown = [line for line in done.stderr.splitlines() if "is not executable" not in line]
    assert unknown == []


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.stem)
def test_a_unit_gives_its_service_settings_that_it_has_and_time_to_drain(
    unit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = unit.read_text().splitlines()
    for line in lines:
        if line.startswith("Environment=SWARA"):
            for assignment in shlex.split(line.removeprefix("Environment=")):
                monkeypatch.setenv(*assignment.split("=", 1))
    settings = SETTINGS[unit.stem.removeprefix("swara-")].load([])
    stop_seconds = float(next(line for line in lines if line.startswith("TimeoutStopSec=")).split("=")[1])
    assert stop_seconds > settings.grace_seconds


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.stem)
def test_systemd_calls_a_unit_little_exposed(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=yes", "--threshold=25", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "SYSTEMD_COLORS": "0"})
    assert done.returncode == 0, done.stdout.splitlines()[-1:]
