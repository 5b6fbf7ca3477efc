"""Where the time of a speech goes, stage by stage."""

from deploy.grafana.forms import durations
from deploy.grafana.panels import RATE, REPLICA, SPACE, Board, Panel, Query, quantile

STAGES = ("queue", "prefill", "decode", "codec", "encode", "write")


def _mean(stage: str) -> str:
    selector = f'{SPACE},stage="{stage}"'
    spent, speeches = (
        f"sum(rate(swara_gateway_stage_seconds_{part}{{{selector}}}[{RATE}]))" for part in ("sum", "count")
    )
    return f"{spent} / ({speeches} > 0)"


def _tail(stage: str) -> str:
    return quantile(0.95, "swara_gateway_stage_seconds", f'{SPACE},stage="{stage}"')


SPEECH = (
    Panel(
        "A speech's time, mean",
        "All its segments together. Stages overlap: the codec works while the model goes on.",
        "s",
        [Query(_mean(stage), stage) for stage in STAGES],
        stacked=True,
    ),
    Panel("A speech's time, p95", "The same for the slow ones.", "s", [Query(_tail(stage), stage) for stage in STAGES]),
)

TO_FIRST_AUDIO = (
    durations(
        "To the first token",
        "From a request's arrival: admission, place, prompt.",
        "swara_gateway_first_token_seconds",
        SPACE,
    ),
    durations("Wait for a place", "At the token service.", "swara_token_queue_seconds", REPLICA),
    durations("Prompt to first frame", "At the token service.", "swara_token_first_frame_seconds", REPLICA),
    durations(
        "To the first PCM", "At the audio service, the model included.", "swara_audio_first_pcm_seconds", REPLICA
    ),
)

FRAMES = (
    durations("Between frames of the model", "A frame is 85 ms of speech.", "swara_token_frame_seconds", REPLICA),
    durations("A step of the codec", "All its streams together.", "swara_audio_step_seconds", REPLICA),
    durations(
        "Between chunks at the listener",
        "What all the stages before it make together.",
        "swara_gateway_chunk_interval_seconds",
        SPACE,
    ),
)

BOARD = Board(
    uid="swara-stages",
    title="Swara: stages",
    why="Where the time of a speech goes: queue, prefill, decode, codec, encode, network write.",
    replicas=f'label_values(swara_token_build_info{{{SPACE},model=~"$model"}}, pod)',
    rows=(("A whole speech", SPEECH), ("Up to first audio", TO_FIRST_AUDIO), ("Frame by frame", FRAMES)),
)
