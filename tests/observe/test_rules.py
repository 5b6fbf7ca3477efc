import re
import shlex
import subprocess
from pathlib import Path

import pytest

from benchmarks.monitoring import CONFIG
from deploy.prometheus.__main__ import written

pytestmark = pytest.mark.observe


@pytest.mark.parametrize("command", [("check", "config", "prometheus.yaml"), ("test", "rules", "rules_test.yaml")])
def test_prometheus_takes_what_is_committed(command: tuple[str, ...]) -> None:
    assert "SUCCESS" in said("promtool", *command)


@pytest.mark.parametrize("scale", [1, 7, 60])
def test_prometheus_takes_the_rules_at_every_scale(scale: float, tmp_path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(written(scale), encoding="utf-8")
    assert "rules found" in said("promtool", "check", "rules", "--lint-fatal", str(path))


def test_alertmanager_takes_its_routes_and_a_page_is_not_a_ticket() -> None:
    routes = ("config", "routes", "test", "--config.file=alertmanager.yaml")
    assert said("amtool", *routes, "severity=page").strip() == "page"
    assert said("amtool", *routes, "severity=ticket").strip() == "ticket"


def test_the_commands_of_the_metrics_page_are_understood() -> None:
    root = Path(__file__).parents[2]
    page = (root / "docs/metrics.md").read_text(encoding="utf-8")
    commands = [shlex.split(line) for line in re.findall(r"^prometheus.* --.*$", page, re.M)]
    assert [program for program, *_ in commands] == ["prometheus", "prometheus-alertmanager"]
    for program, *options in commands:
        known = subprocess.run([program, "--help"], capture_output=True, text=True)
        for option in options:
            name, _, value = option.partition("=")
            assert f"{name}=" in known.stdout + known.stderr
            assert name != "--config.file" or (root / value).exists()


def said(*command: str) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(command, cwd=CONFIG, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
