"""Alerts on causes: each names one thing that somebody can do something about."""

from dataclasses import dataclass
from typing import Any

from deploy.prometheus.slo import MINUTE, Duration


@dataclass(frozen=True)
class Cause:
    """One alert. WINDOW in the expression is `window_seconds`; it must hold for `for_seconds`."""

    alert: str
    severity: str
    summary: str
    expr: str
    for_seconds: float = 1 * MINUTE
    window_seconds: float = 5 * MINUTE

    def rule(self, duration: Duration, runbook: str) -> dict[str, Any]:
        """As Prometheus reads it."""
        return {
            "alert": self.alert,
            "expr": self.expr.replace("WINDOW", duration(self.window_seconds)),
            "for": duration(self.for_seconds),
            "labels": {"severity": self.severity},
            "annotations": {"summary": self.summary, "runbook_url": f"{runbook}#{self.alert.lower()}"},
        }


CAUSES = (
    Cause(
        "SwaraListenersStalled",
        "page",
        "More than 5 % of the listeners in {{ $labels.namespace }} hear a gap at this moment",
        "sum by (namespace) (swara_gateway_estimated_stalled_listeners)"
        " / (sum by (namespace) (swara_gateway_active_streams) > 0) > 0.05",
    ),
    Cause(
        "SwaraCodecSlow",
        "page",
        "The codec of {{ $labels.pod }} takes longer for a step than its frames last",
        "histogram_quantile(0.9, sum by (namespace, pod, le) (rate(swara_audio_step_seconds_bucket[WINDOW]))) > 0.085",
    ),
    Cause(
        "SwaraLanguageModelSlow",
        "page",
        "The language model of {{ $labels.pod }} takes longer for a frame than it lasts",
        "histogram_quantile(0.5, sum by (namespace, pod, le) (rate(swara_token_frame_seconds_bucket[WINDOW]))) > 0.085",
    ),
    Cause(
        "SwaraStreamsRefused",
        "page",
        "More than 1 % of the requests in {{ $labels.namespace }} are told that all is full",
        'sum by (namespace) (rate(swara_gateway_requests_total{outcome="full"}[WINDOW]))'
        " / (sum by (namespace) (rate(swara_gateway_requests_total[WINDOW])) > 0) > 0.01",
    ),
    Cause(
        "SwaraReplicaUnreachable",
        "page",
        "A gateway in {{ $labels.namespace }} does not reach {{ $value }} of its audio services",
        'max by (namespace) (swara_gateway_audio_replicas{health="unreachable"}) > 0',
    ),
    Cause(
        "SwaraTargetDown",
        "page",
        "{{ $labels.instance }} ({{ $labels.pod }}) does not answer Prometheus",
        'up{job=~".*swara.*"} == 0',
    ),
    Cause(
        "SwaraHeadroomLow",
        "ticket",
        "{{ $labels.namespace }} has had more than 85 % of its streams taken",
        'sum by (namespace) (swara_token_streams_now{state=~"running|queued"})'
        " / sum by (namespace) (swara_token_capacity_streams) > 0.85",
        for_seconds=10 * MINUTE,
    ),
    Cause(
        "SwaraRunaways",
        "ticket",
        "More than 2 % of the segments in {{ $labels.namespace }} do not end by themselves",
        "(sum by (namespace) (rate(swara_token_runaways_total[WINDOW]))"
        " + sum by (namespace) (rate(swara_audio_runaways_total[WINDOW])))"
        " / (sum by (namespace) (rate(swara_token_streams_total[WINDOW])) > 0) > 0.02",
        for_seconds=10 * MINUTE,
        window_seconds=30 * MINUTE,
    ),
    Cause(
        "SwaraFailovers",
        "ticket",
        "Segments in {{ $labels.namespace }} keep moving to other replicas ({{ $labels.reason }})",
        'sum by (namespace, reason) (increase(swara_gateway_failovers_total{reason!="withdrawn"}[WINDOW])) > 10',
        window_seconds=15 * MINUTE,
    ),
    Cause(
        "SwaraGpuErrors",
        "page",
        "GPU {{ $labels.gpu }} of {{ $labels.Hostname }} reports XID {{ $value }}",
        'DCGM_FI_DEV_XID_ERRORS{exported_pod=~"swara-.*"} > 0',
    ),
)
