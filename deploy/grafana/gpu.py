"""The GPUs, by NVIDIA's DCGM exporter. Its labels: `exported_pod` is the pod that has the GPU."""

from deploy.grafana.panels import RATE, SPACE, Board, Panel, Query

GPU = 'exported_namespace=~"$namespace",exported_pod=~"$replica"'
BY = "{{exported_pod}} GPU {{gpu}}"


def _graph(title: str, why: str, unit: str, family: str, ceiling: float | None = None) -> Panel:
    return Panel(title, why, unit, [Query(f"{family}{{{GPU}}}", BY)], ceiling=ceiling)


WORK = (
    _graph(
        "Memory bandwidth in use",
        "What bounds the language model: each step reads all weights.",
        "percentunit",
        "DCGM_FI_PROF_DRAM_ACTIVE",
        1.0,
    ),
    _graph(
        "Matrix units in use",
        "What bounds prompts and the codec.",
        "percentunit",
        "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE",
        1.0,
    ),
    _graph(
        "Busy",
        "Says only that something runs: a GPU with one stream is as busy as one with sixty. Never scale by it.",
        "percent",
        "DCGM_FI_DEV_GPU_UTIL",
        100,
    ),
)

HEALTH = (
    Panel(
        "Memory",
        "Weights, keys and values, decoder states, and what is free.",
        "decmbytes",
        [Query(f"DCGM_FI_DEV_FB_USED{{{GPU}}}", f"{BY} used"), Query(f"DCGM_FI_DEV_FB_FREE{{{GPU}}}", f"{BY} free")],
    ),
    _graph("Power", "At its limit a GPU lowers its clock.", "watt", "DCGM_FI_DEV_POWER_USAGE"),
    _graph("Clock", "Of the multiprocessors.", "rotmhz", "DCGM_FI_DEV_SM_CLOCK"),
)

FAULTS = (
    _graph("Temperature", "Near its limit a GPU lowers its clock.", "celsius", "DCGM_FI_DEV_GPU_TEMP"),
    _graph("Errors", "The last XID: anything but 0 is in NVIDIA's table of them.", "none", "DCGM_FI_DEV_XID_ERRORS"),
    Panel(
        "Joules a second of speech",
        "Power over the speech that is handed out.",
        "joule",
        [
            Query(
                f'sum(DCGM_FI_DEV_POWER_USAGE{{exported_namespace=~"$namespace"}})'
                f" / (sum(rate(swara_gateway_audio_seconds_total{{{SPACE}}}[{RATE}])) > 0)",
                "now",
            )
        ],
    ),
)

BOARD = Board(
    uid="swara-gpu",
    title="Swara: GPU",
    why="The GPUs under the token and audio services. Needs NVIDIA's DCGM exporter.",
    replicas='label_values(DCGM_FI_DEV_GPU_UTIL{exported_namespace=~"$namespace"}, exported_pod)',
    rows=(("Work", WORK), ("Health", HEALTH), ("Faults", FAULTS)),
)
