"""What listeners hear, and in ten seconds why they hear gaps."""

from deploy.grafana.forms import durations
from deploy.grafana.panels import MODEL, SPACE, Board, Panel, Query, quantile, rate
from deploy.prometheus.slo import MINUTE, OBJECTIVES, OURS, Objective, recorded

FIRST_AUDIO = "swara_gateway_estimated_first_audio_seconds"
GREEN_TO_RED = ((None, "green"), (0.01, "orange"), (0.05, "red"))

PLAYBACKS, REQUESTS = "swara_gateway_estimated_playbacks_total", "swara_gateway_requests_total"
WITH_GAPS = rate(PLAYBACKS, MODEL + ',heard="gaps"')
GAPS_SHARE = f"{WITH_GAPS} / ({rate(PLAYBACKS, MODEL)} > 0)"
FAILED = rate(REQUESTS, f'{SPACE},outcome=~"{OURS}"')
FAILED_SHARE = f"{FAILED} / ({rate(REQUESTS, SPACE)} > 0)"

NOW = (
    Panel(
        "Hear a gap now",
        "Listeners whose sound has stopped at this moment. Anything but 0 is heard by somebody.",
        "none",
        [Query(f"sum(swara_gateway_estimated_stalled_listeners{{{SPACE}}})")],
        ((None, "green"), (1, "red")),
    ),
    Panel(
        "First audio, p95",
        "From a request to its first audible 10 ms, at the gateway's edge; half a second is promised.",
        "s",
        [Query(quantile(0.95, FIRST_AUDIO, MODEL))],
        ((None, "green"), (0.3, "orange"), (0.5, "red")),
    ),
    Panel(
        "Speeches with gaps",
        "Of the speeches that have ended, how many a player with 200 ms in hand could not play whole.",
        "percentunit",
        [Query(GAPS_SHARE)],
        GREEN_TO_RED,
    ),
    Panel(
        "Requests that fail",
        "Full, unavailable, timed out or broken; not what callers do wrong.",
        "percentunit",
        [Query(FAILED_SHARE)],
        GREEN_TO_RED,
    ),
    Panel(
        "Replicas out of reach",
        "Audio services that the gateways know and do not reach.",
        "none",
        [Query(f'max(swara_gateway_audio_replicas{{{SPACE},health="unreachable"}})')],
        ((None, "green"), (1, "red")),
    ),
    Panel(
        "Places taken",
        "Streams taken, of those that all token services carry in real time.",
        "percentunit",
        [
            Query(
                f'sum(swara_token_streams_now{{{SPACE},state=~"running|queued"}})'
                f" / sum(swara_token_capacity_streams{{{SPACE}}})"
            )
        ],
        ((None, "green"), (0.75, "orange"), (0.95, "red")),
    ),
)

HEARD = (
    durations("First audio", "From a request to its first audible 10 ms.", FIRST_AUDIO, MODEL),
    Panel(
        "Gaps",
        "Underruns a second, the seconds of silence in them, and who hears one now.",
        "none",
        [
            Query(rate("swara_gateway_estimated_underruns_total", MODEL), "gaps a second"),
            Query(rate("swara_gateway_estimated_gap_seconds_total", MODEL), "seconds of silence a second"),
            Query(f"sum(swara_gateway_estimated_stalled_listeners{{{SPACE}}})", "hear a gap now"),
        ],
    ),
    durations(
        "Between two chunks",
        "A player holds 200 ms: what is above that must have been sent ahead.",
        "swara_gateway_chunk_interval_seconds",
        SPACE,
    ),
)

WHO = (
    Panel(
        "Streams",
        "Speeches being spoken, those who listen to somebody else's, those who wait for room.",
        "none",
        [
            Query(f"sum by (door) (swara_gateway_active_streams{{{SPACE}}})", "{{door}}"),
            Query(f"sum(swara_gateway_listeners{{{SPACE}}})", "joined"),
            Query(f"sum(swara_gateway_waiting_streams{{{SPACE}}})", "waiting"),
        ],
        stacked=True,
    ),
    Panel(
        "Requests by how they ended",
        "Full is refused at once and may be asked again.",
        "reqps",
        [Query(f"{rate('swara_gateway_requests_total', SPACE, 'outcome')} > 0", "{{outcome}}")],
        stacked=True,
    ),
    Panel(
        "Moved to another replica",
        "Nobody heard these; many of them say that a replica is ill.",
        "none",
        [
            Query(rate("swara_gateway_failovers_total", SPACE, "reason"), "{{reason}}"),
            Query(rate("swara_gateway_repeated_segments_total", SPACE), "said nothing, spoken again"),
        ],
    ),
)


def _burn(objective: Objective) -> str:
    """How many times faster than it may an error budget burns."""
    return f'{recorded(5 * MINUTE)}{{{SPACE},slo="{objective.name}"}} / {1 - objective.target:.4g}'


PROMISES = (
    Panel(
        "Burn of the error budgets over five minutes",
        "1 uses a budget up in its month; above 14.4 somebody is called.",
        "none",
        [Query(_burn(objective), objective.name.replace("_", " ")) for objective in OBJECTIVES],
    ),
    Panel(
        "Real-time factor",
        "Seconds of speech per second of waiting for all of it; below 1 nobody can be spared a gap.",
        "none",
        [
            Query(quantile(0.05, "swara_gateway_estimated_real_time_factor", MODEL), "p5"),
            Query(quantile(0.5, "swara_gateway_estimated_real_time_factor", MODEL), "p50"),
        ],
    ),
    Panel(
        "Speech handed out",
        "Seconds of speech a second: how many listeners are served as fast as they listen.",
        "none",
        [Query(rate("swara_gateway_audio_seconds_total", MODEL, "model"), "{{model}}")],
    ),
)

BOARD = Board(
    uid="swara-listeners",
    title="Swara: listeners",
    why="What listeners hear, as a player at the gateway's edge would play it (gateway_estimated).",
    replicas=f"label_values(swara_gateway_build_info{{{SPACE}}}, pod)",
    rows=(("Now", NOW), ("What is heard", HEARD), ("Who", WHO), ("What was promised", PROMISES)),
)
