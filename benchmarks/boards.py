"""The dashboards without Grafana: their queries put to a Prometheus, and their pictures drawn from the answers."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.monitoring import Monitoring, Series
from deploy.grafana.boards import NEEDS
from deploy.grafana.panels import Board, Panel

# What Grafana puts in for its variables where everything is chosen.
VARIABLES = {"$namespace": ".*", "$model": ".*", "$replica_hour_usd": "3", "$replica": ".*"}
WIDTH_INCHES, ROW_INCHES, DOTS_PER_INCH = 15.5, 2.6, 80
COLOURS = ("#3b7dd8", "#e0752d", "#3f9b52", "#c43d5a", "#8457b5", "#8c6d46", "#4fb3bf", "#b8a12e")
GREY, FAULT = "#6b7280", "#fbe3e4"
PERCENT = 100
COLOUR_COUNT = 64
UNITS = {"percentunit": "%", "s": "s", "currencyUSD": "USD", "bytes": "bytes"}
# Of rates, with a scrape each second; Grafana takes four scrapes, too few for speeches that last seconds.
WINDOW = "15s"


@dataclass(frozen=True)
class Span:
    """A stretch of time worth showing, seconds since the epoch."""

    start_seconds: float
    end_seconds: float
    name: str = ""


def expressions(board: Board) -> Iterator[tuple[Panel, str]]:
    """Every expression of a board, as it stands in the JSON."""
    for _, panels in board.rows:
        for panel in panels:
            for query in panel.queries:
                yield panel, query.expr


def filled(expression: str, window: str) -> str:
    """An expression as Grafana sends it, with everything chosen; `window` is the interval of its rates."""
    expression = expression.replace("$__rate_interval", window)
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    return expression


def need(expression: str) -> str:
    """What an expression needs beside Swara; empty where it must have values."""
    return next((reason for part, reason in NEEDS.items() if part in expression), "")


def draw(board: Board, monitoring: Monitoring, shown: Span, faults: Sequence[Span], path: Path) -> None:
    """A board's panels as a picture; the faults are shaded."""
    from matplotlib.figure import Figure
    from PIL import Image

    rows = board.rows
    figure = Figure(figsize=(WIDTH_INCHES, ROW_INCHES * len(rows) + 0.6), layout="constrained")
    figure.suptitle(f"{board.title}  ({faults[0].name}: shaded)", fontsize=13, fontweight="bold")
    for place, (title, panels) in zip(figure.subfigures(len(rows), 1, squeeze=False)[:, 0], rows, strict=True):
        place.suptitle(title, fontsize=10, fontweight="bold", x=0.01, ha="left", color=GREY)
        for axes, panel in zip(place.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            _draw_lines(axes, panel, monitoring, shown)
            _draw_frame(axes, panel, shown, faults)
    figure.savefig(path, dpi=DOTS_PER_INCH)
    # A few colours do for lines: a third of the bytes.
    Image.open(path).convert("RGB").quantize(COLOUR_COUNT).save(path, optimize=True)


def _draw_lines(axes: Any, panel: Panel, monitoring: Monitoring, shown: Span) -> None:
    scale = PERCENT if panel.unit == "percentunit" else 1
    colours = iter(COLOURS * 4)
    for query in panel.queries:
        for series in monitoring.history(filled(query.expr, WINDOW), shown.start_seconds, shown.end_seconds, 1.0):
            times, values = zip(*series.points, strict=True)
            since = [at - shown.start_seconds for at in times]
            scaled = [scale * value for value in values]
            axes.plot(since, scaled, color=next(colours), linewidth=1.5, label=_legend(query.legend, series))
    for limit, colour in panel.limits:
        if limit is not None:
            axes.axhline(scale * limit, color=colour, linewidth=0.8, linestyle="--")


def _draw_frame(axes: Any, panel: Panel, shown: Span, faults: Sequence[Span]) -> None:
    for fault in faults:
        axes.axvspan(fault.start_seconds - shown.start_seconds, fault.end_seconds - shown.start_seconds, color=FAULT)
    unit = UNITS.get(panel.unit, "")
    axes.set_title(panel.title + (f", {unit}" if unit else ""), fontsize=9, loc="left")
    axes.set_xlim(0, shown.end_seconds - shown.start_seconds)
    # A line of zeros lies on the ground, not in the middle of nothing.
    axes.set_ylim(min(0, axes.dataLim.y0), None if axes.dataLim.y1 > 0 else 1)
    axes.tick_params(labelsize=7, colors=GREY)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.25)
    handles, names = axes.get_legend_handles_labels()
    if any(names):
        axes.legend(handles, names, fontsize=6.5, loc="best", framealpha=0.7, edgecolor="none")


def _legend(template: str, series: Series) -> str:
    for name, value in series.labels.items():
        template = template.replace("{{" + name + "}}", value)
    return template


def empty(monitoring: Monitoring, board: Board, looked_at: Span) -> list[str]:
    """The expressions of a board that had no value in that time, but for those that need something that is not here."""
    found = []
    for panel, expression in expressions(board):
        if need(expression):
            continue
        lines = monitoring.history(filled(expression, WINDOW), looked_at.start_seconds, looked_at.end_seconds, 1.0)
        if not any(math.isfinite(value) for line in lines for _, value in line.points):
            found.append(f"{board.uid}, {panel.title}: {expression}")
    return found


def now() -> float:
    """Seconds since the epoch, as Prometheus counts."""
    return time.time()
