"""What listeners are promised, and the alerts that say how fast the promise is being broken.

Each objective has an error budget; an alert tells that it is burning so many times faster than it may, over a long
window (it matters) and a short one (it still goes on). The pairs are those of Google's SRE workbook, chapter 5.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MINUTE, HOUR, DAY = 60, 3600, 86_400
Duration = Callable[[float], str]
OURS = "full|unavailable|timed_out|broken"
"""Outcomes that are the service's fault; what callers do wrong and who hangs up is not."""


@dataclass(frozen=True)
class Objective:
    """A promise: the share of good events that is meant, and what to divide to see the share of bad ones."""

    name: str
    alert: str
    promise: str
    target: float
    bad: str
    every: str

    def ratio(self, window: str) -> str:
        """The share of bad events in a window."""
        bad, every = self.bad.replace("WINDOW", window), self.every.replace("WINDOW", window)
        return f"{bad} / ({every} > 0)"


@dataclass(frozen=True)
class Burn:
    """How fast a budget burns, over which two windows, and whether somebody must come at once."""

    factor: float
    long_seconds: float
    short_seconds: float
    severity: str


OBJECTIVES = (
    Objective(
        "availability",
        "SwaraAvailabilityBurn",
        "requests are answered with speech",
        0.999,
        f'sum by (namespace) (rate(swara_gateway_requests_total{{outcome=~"{OURS}"}}[WINDOW]))',
        f'sum by (namespace) (rate(swara_gateway_requests_total{{outcome=~"finished|{OURS}"}}[WINDOW]))',
    ),
    Objective(
        "first_audio",
        "SwaraFirstAudioBurn",
        "speeches are audible within 0.5 s",
        0.99,
        "(sum by (namespace) (rate(swara_gateway_estimated_first_audio_seconds_count[WINDOW])) - "
        'sum by (namespace) (rate(swara_gateway_estimated_first_audio_seconds_bucket{le="0.5"}[WINDOW])))',
        "sum by (namespace) (rate(swara_gateway_estimated_first_audio_seconds_count[WINDOW]))",
    ),
    Objective(
        "gap",
        "SwaraGapBurn",
        "speeches have no gap",
        0.995,
        'sum by (namespace) (rate(swara_gateway_estimated_playbacks_total{heard="gaps"}[WINDOW]))',
        "sum by (namespace) (rate(swara_gateway_estimated_playbacks_total[WINDOW]))",
    ),
)

BURNS = (
    Burn(14.4, 1 * HOUR, 5 * MINUTE, "page"),
    Burn(6, 6 * HOUR, 30 * MINUTE, "page"),
    Burn(3, 1 * DAY, 2 * HOUR, "ticket"),
    Burn(1, 3 * DAY, 6 * HOUR, "ticket"),
)
WINDOWS_SECONDS = sorted({seconds for burn in BURNS for seconds in (burn.long_seconds, burn.short_seconds)})
NAMES = {5 * MINUTE: "5m", 30 * MINUTE: "30m", HOUR: "1h", 2 * HOUR: "2h", 6 * HOUR: "6h", DAY: "1d", 3 * DAY: "3d"}


def recorded(seconds: float) -> str:
    """The name under which an error ratio is recorded; it keeps its name when time is scaled."""
    return f"swara:slo_errors:ratio_rate{NAMES[int(seconds)]}"


def recording_rules(duration: Duration) -> list[dict[str, Any]]:
    """The error ratio of each objective over each window."""
    return [
        {"record": recorded(seconds), "expr": objective.ratio(duration(seconds)), "labels": {"slo": objective.name}}
        for objective in OBJECTIVES
        for seconds in WINDOWS_SECONDS
    ]


def alerting_rules(runbook: str) -> list[dict[str, Any]]:
    """Each objective's alerts."""
    return [_alert(objective, burn, runbook) for objective in OBJECTIVES for burn in BURNS]


def _alert(objective: Objective, burn: Burn, runbook: str) -> dict[str, Any]:
    limit = f"{burn.factor:g} * {1 - objective.target:.4g}"
    windows = (burn.long_seconds, burn.short_seconds)
    long, short = (f'{recorded(seconds)}{{slo="{objective.name}"}} > {limit}' for seconds in windows)
    return {
        "alert": objective.alert,
        "expr": f"{long} and {short}",
        "labels": {"severity": burn.severity, "window": NAMES[int(burn.long_seconds)]},
        "annotations": {
            "summary": f"{burn.factor:g} times too many failures of: {objective.promise} ({objective.target:.1%})",
            "description": "{{ $value | humanizePercentage }} over " + NAMES[int(burn.long_seconds)],
            "runbook_url": f"{runbook}#{objective.alert.lower()}",
        },
    }
