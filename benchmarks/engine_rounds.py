"""What several rounds of rows come to: medians, how far they spread, and what share of vLLM by itself they are."""

import statistics
from collections.abc import Iterator, Sequence
from typing import Any

RAW = "vllm-raw"
RATE = "tokens_per_second_per_stream"
# What a row of a round is of; the rest are figures.
KEYS = ("engine", "precision", "streams", "round")


def medians(rounds: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each engine, precision and number of streams, in the order in which they were first measured."""
    kinds = dict.fromkeys((row["engine"], row["precision"]) for row in rounds)
    return [row for engine, precision in kinds for row in _of_engine(rounds, engine, precision)]


def _of_engine(rounds: Sequence[dict[str, Any]], engine: str, precision: str) -> Iterator[dict[str, Any]]:
    mine = [row for row in rounds if (row["engine"], row["precision"]) == (engine, precision)]
    raw = [row for row in rounds if (row["engine"], row["precision"]) == (RAW, precision)]
    for streams in dict.fromkeys(row["streams"] for row in mine):
        rows = [row for row in mine if row["streams"] == streams]
        beside = {row["round"]: row[RATE] for row in raw if row["streams"] == streams and engine != RAW}
        yield {
            "engine": engine,
            "precision": precision,
            "streams": streams,
            "rounds": len(rows),
            **_figures(rows, beside),
        }


def _figures(rows: Sequence[dict[str, Any]], raw_rates: dict[int, float]) -> dict[str, Any]:
    """Medians of every figure, and the spread of the rate and of its share of `raw_rates`, vLLM's own by round."""
    found = {name: round(statistics.median(row[name] for row in rows), 3) for name in rows[0] if name not in KEYS}
    shares = [row[RATE] / raw_rates[row["round"]] for row in rows if row["round"] in raw_rates]
    return {**found, **_spread(RATE, [row[RATE] for row in rows]), **_share(shares)}


def _spread(name: str, values: Sequence[float]) -> dict[str, float]:
    return {f"{name}_least": round(min(values), 3), f"{name}_most": round(max(values), 3)}


def _share(shares: Sequence[float]) -> dict[str, float]:
    """Of vLLM by itself in the same round, so that what slowed both of them is not in it."""
    if not shares:
        return {}
    return {"share_of_raw": round(statistics.median(shares), 3), **_spread("share_of_raw", shares)}
