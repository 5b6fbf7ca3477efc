"""The few forms our panels have, on top of Grafana's own builders."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from grafana_foundation_sdk.builders import common, prometheus, stat, timeseries
from grafana_foundation_sdk.builders import dashboard as dashboards
from grafana_foundation_sdk.models import common as forms
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

SOURCE = DataSourceRef(type_val="prometheus", uid="$datasource")
# The gateway's, those of one model's listeners, and those of the chosen replicas.
SPACE = 'namespace=~"$namespace"'
MODEL = f'{SPACE},model=~"$model"'
REPLICA = f'{SPACE},pod=~"$replica"'
RATE = "$__rate_interval"
PANEL_HEIGHT = 8
NUMBER_HEIGHT = 4
ROW_WIDTH = 24


@dataclass(frozen=True)
class Query:
    """One expression and what its lines are called."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """A panel; `why` is what it tells whom. A number has limits, (value, colour) from the lowest; a graph has none."""

    title: str
    why: str
    unit: str
    queries: Sequence[Query]
    limits: Sequence[tuple[float | None, str]] = ()
    stacked: bool = False
    ceiling: float | None = None


@dataclass(frozen=True)
class Board:
    """A dashboard. `replicas` is the query for the values of the variable `replica`."""

    uid: str
    title: str
    why: str
    replicas: str
    rows: Sequence[tuple[str, Sequence[Panel]]]
    extra: Sequence[dashboards.TextBoxVariable] = field(default_factory=tuple)

    def build(self) -> dashboards.Dashboard:
        """As Grafana's builder has it."""
        board = (
            dashboards.Dashboard(self.title)
            .uid(self.uid)
            .description(self.why)
            .tags(["swara"])
            .refresh("5s")
            .time("now-15m", "now")
            .timezone("browser")
            .tooltip(DashboardCursorSync.CROSSHAIR)
            .readonly()
            .link(dashboards.DashboardLink("Swara").type(DashboardLinkType.DASHBOARDS).tags(["swara"]).keep_time(True))
        )
        for variable in (*_variables(self.replicas), *self.extra):
            board = board.with_variable(variable)
        for title, panels in self.rows:
            board = board.with_row(dashboards.Row(title))
            for panel in panels:
                board = board.with_panel(_built(panel, ROW_WIDTH // len(panels)))
        return board


def quantile(share: float, family: str, selector: str, by: str = "le") -> str:
    """A quantile of a histogram over the last moments."""
    return f"histogram_quantile({share:g}, sum by ({by}) (rate({family}_bucket{{{selector}}}[{RATE}])))"


def rate(family: str, selector: str, by: str = "") -> str:
    """Events a second."""
    return f"sum{f' by ({by}) ' if by else ' '}(rate({family}{{{selector}}}[{RATE}]))"


def _variables(replicas: str) -> list[dashboards.QueryVariable | dashboards.DatasourceVariable]:
    return [
        dashboards.DatasourceVariable("datasource").label("Prometheus").type("prometheus"),
        _variable("namespace", "label_values(swara_gateway_build_info, namespace)"),
        _variable("model", f"label_values(swara_token_build_info{{{SPACE}}}, model)"),
        _variable("replica", replicas),
    ]


def _variable(name: str, query: str) -> dashboards.QueryVariable:
    everything = VariableOption(selected=True, text="All", value="$__all")
    return (
        dashboards.QueryVariable(name)
        .datasource(SOURCE)
        .query(query)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(everything)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )


def _built(panel: Panel, width: int) -> stat.Panel | timeseries.Panel:
    built = _number(panel) if panel.limits else _graph(panel)
    built = built.title(panel.title).description(panel.why).unit(panel.unit).datasource(SOURCE).span(width)
    for number, query in enumerate(panel.queries):
        target = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id("ABCDEFGH"[number])
        built = built.with_target(target.datasource(SOURCE).exemplar("_bucket" in query.expr))
    return built


def _number(panel: Panel) -> stat.Panel:
    steps = [Threshold(value=value, color=colour) for value, colour in panel.limits]
    limits = dashboards.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
    calculated = common.ReduceDataOptions().calcs(["lastNotNull"])
    shown = stat.Panel().thresholds(limits).reduce_options(calculated).height(NUMBER_HEIGHT)
    return shown.graph_mode(forms.BigValueGraphMode.AREA).color_mode(forms.BigValueColorMode.BACKGROUND)


def _graph(panel: Panel) -> timeseries.Panel:
    graph = (
        timeseries.Panel().height(PANEL_HEIGHT).line_width(2).fill_opacity(30 if panel.stacked else 8).axis_soft_min(0)
    )
    if panel.stacked:
        graph = graph.stacking(common.StackingConfig().mode(forms.StackingMode.NORMAL))
    if panel.ceiling is not None:
        graph = graph.max(panel.ceiling)
    return graph
