"""The token services: how the language model does."""

from deploy.grafana.forms import durations, ends, slack, streams_in_a_step
from deploy.grafana.panels import REPLICA, SPACE, Board, Panel, Query, rate

LOAD = (
    Panel(
        "Streams",
        "Paused ones are as far ahead of their listeners as they may be.",
        "none",
        [
            Query(f"sum by (state) (swara_token_streams_now{{{REPLICA}}})", "{{state}}"),
            Query(f"sum(swara_token_capacity_streams{{{REPLICA}}})", "capacity"),
        ],
    ),
    slack(
        "How far the stream that is worst off is ahead of its listener; at 0 a gap is heard.",
        "swara_token_slack_seconds",
    ),
    streams_in_a_step("Of the native engine; vLLM and TensorRT-LLM batch inside.", "swara_token_step_streams"),
)

SPEED = (
    durations("A step", "A frame for each of its streams.", "swara_token_step_seconds", REPLICA),
    durations(
        "To the first token", "From a stream's place: reading its prompt.", "swara_token_first_token_seconds", REPLICA
    ),
    Panel(
        "Tokens",
        "Read as prompts and drawn as speech.",
        "none",
        [Query(rate("swara_token_tokens_total", REPLICA, "kind"), "{{kind}} a second")],
    ),
)

MEMORY_AND_ENDS = (
    Panel(
        "Memory for attention",
        "Tokens reserved by streams and free; of the native engine. vLLM and TensorRT-LLM publish their own.",
        "none",
        [
            Query(f"sum by (state) (swara_token_kv_tokens{{{REPLICA}}})", "{{state}}"),
            Query(f"sum(swara_token_held_tokens{{{REPLICA}}})", "in open streams"),
        ],
    ),
    ends("swara_token_streams_total"),
    Panel(
        "Runaways",
        "Segments that did not end by themselves: too long, in a loop, or fallen silent.",
        "none",
        [
            Query(rate("swara_token_runaways_total", REPLICA, "kind"), "{{kind}}"),
            Query(rate("swara_audio_runaways_total", REPLICA, "kind"), "{{kind}}"),
        ],
    ),
)

BOARD = Board(
    uid="swara-engine",
    title="Swara: engine",
    why="The token services: load, speed, memory, and how generations end.",
    replicas=f'label_values(swara_token_build_info{{{SPACE},model=~"$model"}}, pod)',
    rows=(("Load", LOAD), ("Speed", SPEED), ("Memory, and ends", MEMORY_AND_ENDS)),
)
