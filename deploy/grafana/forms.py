"""Panels that several dashboards have, each about another service."""

from deploy.grafana.panels import REPLICA, Panel, Query, quantile, rate


def durations(title: str, why: str, family: str, selector: str) -> Panel:
    """How long something takes: the three quantiles that matter of a histogram in seconds."""
    return Panel(title, why, "s", _quantiles(family, selector, 0.5, 0.95, 0.99))


def slack(why: str, family: str) -> Panel:
    """How far ahead of its listener whoever is worst off is, by replica."""
    return Panel("Slack", why, "s", [Query(f"min by (pod) ({family}{{{REPLICA}}})", "{{pod}}")])


def streams_in_a_step(why: str, family: str) -> Panel:
    """How many streams share a step."""
    return Panel("Streams in a step", why, "none", _quantiles(family, REPLICA, 0.5, 0.95))


def ends(family: str) -> Panel:
    """How a service's streams end."""
    why = "cancelled is a listener who has left, or a segment that went on elsewhere."
    queries = [Query(rate(family, REPLICA, "outcome"), "{{outcome}}")]
    return Panel("How streams end", why, "none", queries, stacked=True)


def _quantiles(family: str, selector: str, *shares: float) -> list[Query]:
    return [Query(quantile(share, family, selector), f"p{100 * share:g}") for share in shares]
