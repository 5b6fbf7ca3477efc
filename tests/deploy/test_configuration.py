"""What is generated is up to date: docs/configuration.md, and the alerts as Kubernetes takes them."""

from pathlib import Path

import yaml

from deploy import prometheus_rule
from deploy.configuration import SERVICES, page

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "configuration.md"
RULES = ROOT / "deploy/k8s/components/monitoring/rules.yaml"


def test_the_configuration_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "the settings have changed: run make configuration"


def test_the_alerts_in_kubernetes_are_those_of_prometheus() -> None:
    assert RULES.read_text(encoding="utf-8") == prometheus_rule.resource(), "run make prometheus-rule"


def test_every_dashboard_is_in_the_config_map() -> None:
    listed = yaml.safe_load((ROOT / "deploy/grafana/kustomization.yaml").read_text())["configMapGenerator"][0]["files"]
    assert sorted(listed) == sorted(path.name for path in (ROOT / "deploy/grafana").glob("*.json"))


def test_every_setting_says_what_it_is() -> None:
    for _, _, settings in SERVICES:
        for name, field in settings.model_fields.items():
            assert field.description, f"{settings.__name__}.{name}"
