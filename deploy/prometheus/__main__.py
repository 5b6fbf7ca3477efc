"""`python -m deploy.prometheus`: writes rules.yaml; with `--scale 60` it prints rules whose hours are minutes.

Hours cannot pass in a test: there every window and every `for` is divided by the scale, and nothing else is changed.
"""

import argparse
from pathlib import Path
from typing import Any

import yaml

from deploy.prometheus import slo
from deploy.prometheus.causes import CAUSES

RULES = Path(__file__).with_name("rules.yaml")
RUNBOOK = "https://github.com/swara-speech/swara/blob/main/docs/runbook.md"
HEADER = "# Made by `python -m deploy.prometheus` from slo.py and causes.py; a test sees that it is up to date.\n"
# Ratios over days need not be computed anew every few seconds.
INTERVAL_SECONDS = 15
UNITS = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def duration(seconds: float) -> str:
    """As Prometheus writes it: 90 is 90s, 300 is 5m."""
    for length, unit in UNITS:
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g}{unit}"
    return f"{round(1000 * seconds)}ms"


def rules(scale: float = 1.0) -> dict[str, Any]:
    """All groups, with time running `scale` times as fast."""

    def scaled(seconds: float) -> str:
        return duration(max(1.0, seconds / scale))

    groups = {
        "swara-slo-ratios": slo.recording_rules(scaled),
        "swara-slo-burn": slo.alerting_rules(RUNBOOK),
        "swara-causes": [cause.rule(scaled, RUNBOOK) for cause in CAUSES],
    }
    interval = scaled(INTERVAL_SECONDS)
    return {"groups": [{"name": name, "interval": interval, "rules": found} for name, found in groups.items()]}


def written(scale: float = 1.0) -> str:
    """The YAML."""
    return HEADER + yaml.safe_dump(rules(scale), sort_keys=False, width=200, allow_unicode=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m deploy.prometheus", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scale", type=float, help="print rules for time that runs so many times as fast")
    given = parser.parse_args()
    if given.scale:
        print(written(given.scale), end="")
    else:
        RULES.write_text(written(), encoding="utf-8")


if __name__ == "__main__":
    main()
