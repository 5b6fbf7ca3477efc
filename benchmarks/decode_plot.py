"""The decoder's tables as pictures: speed, and what it costs in exactness."""

from pathlib import Path
from typing import Any

EXACT_ON_CPU, EXACT_ON_GPU = 1e-5, 1e-4
"""The errors that law 1 allows."""

PLAIN = ("snac plain, fp32", "snac plain, tf32", "snac window 3+1+3, tf32")


def plot_cpu(report: dict[str, Any], path: Path) -> None:
    """Speed and error over the length of a step."""
    drawn = _axes()
    if drawn is None:
        return
    figure, (speed, error) = drawn
    steps = [line for line in report["results"] if line["max_abs_error"] is not None]
    for kind in dict.fromkeys((line["codec"], line["threads"], line["streams"]) for line in steps):
        own = [line for line in steps if (line["codec"], line["threads"], line["streams"]) == kind]
        label, frames = f"{kind[0]}, {kind[1]} threads, {kind[2]} streams", [line["frames"] for line in own]
        speed.plot(frames, [line["times_real_time"] for line in own], "o-", label=label)
        error.plot(frames, [line["max_abs_error"] for line in own], "o-", label=label)
    for axes in (speed, error):
        axes.set(xlabel="frames a step", xticks=sorted({line["frames"] for line in steps}))
    speed.set(title=f"all streams together, {report['device']}", ylabel="x real time", ylim=(0, None))
    error.set(title="against the whole decode", ylabel="max error", yscale="log")
    error.axhline(EXACT_ON_CPU, color="grey", linestyle="--")
    error.legend(*speed.get_legend_handles_labels(), fontsize="x-small")
    figure.savefig(path, dpi=120)


def plot_cuda(found: dict[str, Any], path: Path) -> None:
    """Speed over the number of streams beside the plain ways; and each mode's error beside its speed."""
    drawn = _axes()
    if drawn is None:
        return
    figure, (speed, error) = drawn
    _speeds(speed, _lines(found, "steps"), _lines(found, "package"))
    speed.set_title(f"all streams together, {found['device']}")
    _errors(error, found)
    figure.savefig(path, dpi=120)


def _speeds(axes: Any, steps: list[dict[str, Any]], package: list[dict[str, Any]]) -> None:
    for hop in sorted({line["hop"] for line in steps}):
        own = [line for line in steps if line["hop"] == hop]
        rows, speeds = [line["rows"] for line in own], [line["times_real_time"] for line in own]
        axes.plot(rows, speeds, "o-", label=f"steps of {hop}")
    for name in PLAIN:
        best = max((line["times_real_time"] for line in package if line["mode"] == name), default=None)
        if best is not None:
            axes.axhline(best, color="grey", linestyle="--")
            axes.annotate(
                name, (1, best), (-4, 2), xycoords=("axes fraction", "data"), textcoords="offset points",
                horizontalalignment="right", fontsize="x-small",
            )  # fmt: skip
    ticks = sorted({line["rows"] for line in steps if line["rows"].bit_count() == 1})
    axes.set(xscale="log", xlabel="streams", ylabel="x real time", ylim=(0, None))
    axes.set_xticks(ticks, labels=[str(rows) for rows in ticks])
    axes.minorticks_off()
    axes.legend(fontsize="x-small")


def _errors(axes: Any, found: dict[str, Any]) -> None:
    """Each mode as a point where its error and its speed with the most streams are known."""
    errors = found.get("errors", {})
    lines = [*_lines(found, "steps"), *_lines(found, "modes"), *_lines(found, "package")]
    most = max((line.get("rows", 0) for line in lines), default=0)
    for line in lines:
        name = "snac package, float32" if line["mode"] == PLAIN[0] else line["mode"]
        if line.get("rows") == most and line["hop"] == 1 and isinstance(errors.get(name), float):
            axes.plot(line["times_real_time"], errors[name], "o", label=name)
    axes.set(title=f"{most} streams, steps of 1, against float64", xlabel="x real time", xlim=(0, None))
    axes.set(ylabel="max error", yscale="log")
    axes.axhline(EXACT_ON_GPU, color="grey", linestyle="--", label="what law 1 allows")
    axes.legend(fontsize="x-small")


def _lines(found: dict[str, Any], section: str) -> list[dict[str, Any]]:
    """A section's lines; none where it was skipped or failed."""
    lines = found.get(section)
    return lines if isinstance(lines, list) else []


def _axes() -> tuple[Any, tuple[Any, Any]] | None:
    """An empty picture; None, and a sentence, where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("no plot: it needs matplotlib (pip install '.[bench]')")
        return None
    figure = Figure(figsize=(10, 4), layout="constrained")
    return figure, tuple(figure.subplots(1, 2))
