"""The audio services: how the codec does."""

from deploy.grafana.panels import RATE, REPLICA, SPACE, Board, Panel, Query, quantile, quantiles, rate

LOAD = (
    Panel(
        "Streams",
        "Open ones, and how many new ones may be open.",
        "none",
        [
            Query(f"sum by (pod) (swara_audio_active_streams{{{REPLICA}}})", "{{pod}}"),
            Query(f"sum(swara_audio_capacity_streams{{{REPLICA}}})", "capacity"),
        ],
    ),
    Panel(
        "Slack",
        "How long the listener plays on who would run dry first.",
        "s",
        [Query(f"min by (pod) (swara_audio_slack_seconds{{{REPLICA}}})", "{{pod}}")],
    ),
    Panel(
        "Decoder states",
        "Each stream has one, for as long as it is open.",
        "none",
        [Query(f"sum by (state) (swara_audio_states{{{REPLICA}}})", "{{state}}")],
        stacked=True,
    ),
)

SPEED = (
    Panel("A step", "All its streams together.", "s", quantiles("swara_audio_step_seconds", REPLICA)),
    Panel(
        "Streams in a step",
        "The more, the less each costs.",
        "none",
        [
            Query(quantile(0.5, "swara_audio_step_streams", REPLICA), "p50"),
            Query(quantile(0.95, "swara_audio_step_streams", REPLICA), "p95"),
        ],
    ),
    Panel(
        "Busy",
        "Share of the time in which the decoder computes; near 1 it is the bottleneck.",
        "percentunit",
        [Query(f"sum by (pod) (rate(swara_audio_step_seconds_sum{{{REPLICA}}}[{RATE}]))", "{{pod}}")],
        ceiling=1.0,
    ),
)

OUTCOME = (
    Panel(
        "Speech decoded",
        "Seconds of speech a second.",
        "none",
        [Query(rate("swara_audio_decoded_audio_seconds_total", REPLICA, "pod"), "{{pod}}")],
        stacked=True,
    ),
    Panel(
        "To the first PCM",
        "From the opening of a stream, the model included.",
        "s",
        quantiles("swara_audio_first_pcm_seconds", REPLICA),
    ),
    Panel(
        "How streams end",
        "cancelled is a listener who has left, or a segment that went on elsewhere.",
        "none",
        [Query(rate("swara_audio_streams_total", REPLICA, "outcome"), "{{outcome}}")],
        stacked=True,
    ),
)

BOARD = Board(
    uid="swara-codec",
    title="Swara: codec",
    why="The audio services: load, speed, and what comes out.",
    replicas=f"label_values(swara_audio_build_info{{{SPACE}}}, pod)",
    rows=(("Load", LOAD), ("Speed", SPEED), ("What comes out", OUTCOME)),
)
