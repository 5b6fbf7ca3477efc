"""The engine table as a picture."""

from pathlib import Path
from typing import Any

from benchmarks.engine_rounds import RATE


def plot(found: dict[str, Any], path: Path) -> None:
    """Tokens per second of each stream over the number of streams, medians and the spread of the rounds.

    A sentence where matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("no plot: it needs matplotlib (pip install '.[bench]')")
        return
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    rows = found["rows"]
    for engine, precision in dict.fromkeys((row["engine"], row["precision"]) for row in rows):
        mine = [row for row in rows if (row["engine"], row["precision"]) == (engine, precision)]
        rates = [row[RATE] for row in mine]
        below = [row[RATE] - row[f"{RATE}_least"] for row in mine]
        above = [row[f"{RATE}_most"] - row[RATE] for row in mine]
        counts = [row["streams"] for row in mine]
        axes.errorbar(counts, rates, [below, above], fmt="o-", capsize=3, label=f"{engine}, {precision}")
    axes.axhline(7 * 24_000 / 2048, color="grey", linestyle=":", label="real time")
    counts = sorted({row["streams"] for row in rows})
    axes.set_xscale("log")
    axes.set_xticks(counts, map(str, counts), minor=False)
    axes.set_xticks([], minor=True)
    axes.set(xlabel="streams at once", ylabel="tokens per second and stream", ylim=(0, None))
    axes.set_title(f"{found['model']} on {found['device']}")
    axes.legend()
    figure.savefig(path, dpi=120)
