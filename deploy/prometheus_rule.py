"""Writes deploy/prometheus/rules.yaml as the Prometheus operator takes it.

python -m deploy.prometheus_rule > deploy/k8s/components/monitoring/rules.yaml
"""

from pathlib import Path

import yaml

RULES = Path(__file__).parent / "prometheus" / "rules.yaml"
HEAD = "# Made from deploy/prometheus/rules.yaml by `make prometheus-rule`; a test sees that it is up to date.\n"


def resource() -> str:
    """The PrometheusRule, as YAML."""
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "swara"},
        "spec": yaml.safe_load(RULES.read_text(encoding="utf-8")),
    }
    return HEAD + yaml.safe_dump(rule, sort_keys=False, allow_unicode=True, width=120)


if __name__ == "__main__":
    print(resource(), end="")
