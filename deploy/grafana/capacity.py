"""How many streams there is room for, and what an hour of speech costs."""

from grafana_foundation_sdk.builders.dashboard import TextBoxVariable

from deploy.grafana.panels import RATE, REPLICA, SPACE, Board, Panel, Query

REPLICAS = f"count(swara_token_build_info{{{SPACE}}})"
SPOKEN = f"sum(rate(swara_gateway_audio_seconds_total{{{SPACE}}}[{RATE}]))"
RUNNING = f'sum(swara_token_streams_now{{{SPACE},state=~"running|queued"}})'
CARRIED = f"sum(swara_token_capacity_streams{{{SPACE}}})"

ROOM = (
    Panel(
        "Streams and room for them",
        "Of N replicas one's share is kept for the streams of one that dies.",
        "none",
        [
            Query(RUNNING, "running"),
            Query(CARRIED, "all replicas carry"),
            Query(f"{CARRIED} * clamp_min({REPLICAS} - 1, 1) / {REPLICAS}", "new streams are let in up to"),
        ],
    ),
    Panel(
        "Taken, by replica",
        "One that is fuller than the others is nearer or slower.",
        "percentunit",
        [
            Query(
                f'sum by (pod) (swara_token_streams_now{{{REPLICA},state=~"running|queued"}})'
                f" / sum by (pod) (swara_token_capacity_streams{{{REPLICA}}})",
                "{{pod}}",
            )
        ],
    ),
    Panel(
        "Least slack",
        "Whoever is worst off: at the model, at the codec.",
        "s",
        [
            Query(f"min(swara_token_slack_seconds{{{SPACE}}})", "model"),
            Query(f"min(swara_audio_slack_seconds{{{SPACE}}})", "codec"),
        ],
    ),
)

COST = (
    Panel(
        "An hour of speech costs now",
        "What all token service replicas cost an hour, over the hours of speech they hand out in it.",
        "currencyUSD",
        [Query(f"{REPLICAS} * $replica_hour_usd / ({SPOKEN} > 0)", "now")],
    ),
    Panel(
        "An hour of speech costs at capacity",
        "The same with every place taken: what more listeners would bring it down to.",
        "currencyUSD",
        [Query(f"{REPLICAS} * $replica_hour_usd / {CARRIED}", "at capacity")],
    ),
    Panel(
        "Gateways",
        "Streams at the gateways, of those that they take.",
        "percentunit",
        [
            Query(
                f"sum by (pod) (swara_gateway_active_streams{{{SPACE}}})"
                f" / sum by (pod) (swara_gateway_capacity_streams{{{SPACE}}})",
                "{{pod}}",
            )
        ],
    ),
)

PROCESSES = (
    Panel(
        "Processors",
        "Cores in use, by process.",
        "none",
        [Query(f"sum by (pod, job) (rate(process_cpu_seconds_total{{{REPLICA}}}[{RATE}]))", "{{pod}} {{job}}")],
    ),
    Panel(
        "Memory",
        "Resident, by process.",
        "bytes",
        [Query(f"sum by (pod, job) (process_resident_memory_bytes{{{REPLICA}}})", "{{pod}} {{job}}")],
    ),
    Panel("Replicas", "That Prometheus sees.", "none", [Query(REPLICAS, "token services")]),
)

BOARD = Board(
    uid="swara-capacity",
    title="Swara: capacity and cost",
    why="How many streams there is room for, and what an hour of speech costs. Set what a replica costs an hour above.",
    replicas=f'label_values(swara_token_build_info{{{SPACE},model=~"$model"}}, pod)',
    rows=(("Room", ROOM), ("Cost", COST), ("Processes", PROCESSES)),
    extra=(TextBoxVariable("replica_hour_usd").label("a replica costs, USD an hour").default_value("3"),),
)
