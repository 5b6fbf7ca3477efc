"""The audio services: how the codec does."""

from deploy.grafana.forms import durations, ends, slack, streams_in_a_step
from deploy.grafana.panels import RATE, REPLICA, SPACE, Board, Panel, Query, rate

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
    slack("How long the listener plays on who would run dry first.", "swara_audio_slack_seconds"),
    Panel(
        "Decoder states",
        "Each stream has one, for as long as it is open.",
        "none",
        [Query(f"sum by (state) (swara_audio_states{{{REPLICA}}})", "{{state}}")],
        stacked=True,
    ),
)

SPEED = (
    durations("A step", "All its streams together.", "swara_audio_step_seconds", REPLICA),
    streams_in_a_step("The more, the less each costs.", "swara_audio_step_streams"),
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
    durations(
        "To the first PCM",
        "From the opening of a stream, the model included.",
        "swara_audio_first_pcm_seconds",
        REPLICA,
    ),
    ends("swara_audio_streams_total"),
)

BOARD = Board(
    uid="swara-codec",
    title="Swara: codec",
    why="The audio services: load, speed, and what comes out.",
    replicas=f"label_values(swara_audio_build_info{{{SPACE}}}, pod)",
    rows=(("Load", LOAD), ("Speed", SPEED), ("What comes out", OUTCOME)),
)
