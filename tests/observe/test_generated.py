import json
import re
from pathlib import Path

import promql_parser
import pytest
from grafana_foundation_sdk.models.dashboard import Dashboard

from benchmarks.boards import expressions, filled
from deploy.grafana.__main__ import path_of, written
from deploy.grafana.boards import BOARDS
from deploy.grafana.panels import Board
from deploy.prometheus.__main__ import RULES, duration, rules
from deploy.prometheus.__main__ import written as written_rules
from tests.observe.test_metrics_document import rows

ROOT = Path(__file__).parents[2]
OWN = re.compile(r"\bswara_[a-z_]+")

each_board = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)


@each_board
def test_the_committed_dashboard_is_what_the_code_makes(board: Board) -> None:
    assert path_of(board).read_text(encoding="utf-8") == written(board)


@each_board
def test_a_dashboard_is_what_grafana_reads_and_can_be_narrowed_down(board: Board) -> None:
    found = json.loads(written(board))
    assert Dashboard.from_json(found).uid == board.uid
    variables = [variable["name"] for variable in found["templating"]["list"]]
    assert variables[:4] == ["datasource", "namespace", "model", "replica"]
    assert all("$namespace" in expression for _, expression in expressions(board) if "swara:" not in expression)


@each_board
def test_every_expression_of_a_dashboard_is_promql_over_metrics_that_exist(board: Board) -> None:
    for _, expression in expressions(board):
        promql_parser.parse(filled(expression, "1m"))
        assert names_in(expression) <= known()


def test_the_committed_rules_are_what_the_code_makes() -> None:
    assert RULES.read_text(encoding="utf-8") == written_rules()


def test_rules_look_at_metrics_that_exist() -> None:
    for rule in every_rule():
        promql_parser.parse(rule["expr"])
        assert names_in(rule["expr"]) <= known()


def test_a_scale_makes_time_run_faster_and_changes_nothing_else() -> None:
    real, scaled = rules(), rules(60)
    for group, faster in zip(real["groups"], scaled["groups"], strict=True):
        for rule, quick in zip(group["rules"], faster["rules"], strict=True):
            timeless = [re.sub(r"\[\w+\]", "[]", each["expr"]) for each in (rule, quick)]
            assert timeless[0] == timeless[1]
            assert {**rule, "expr": "", "for": ""} == {**quick, "expr": "", "for": ""}
    assert [duration(seconds) for seconds in (0.5, 90, 300, 3600, 86_400)] == ["500ms", "90s", "5m", "1h", "1d"]


def test_every_alert_has_a_section_in_the_runbook_and_every_section_an_alert() -> None:
    alerts = {rule["alert"] for rule in every_rule() if "alert" in rule}
    sections = set(re.findall(r"^## (\w+)$", (ROOT / "docs/runbook.md").read_text(encoding="utf-8"), re.M))
    assert alerts == sections
    for rule in every_rule():
        if "alert" in rule:
            assert rule["annotations"]["runbook_url"].endswith(f"docs/runbook.md#{rule['alert'].lower()}")


def test_what_the_runbook_sends_somebody_to_is_on_a_dashboard() -> None:
    named = re.findall(r"(?<!\*)\*([A-Z][^*]+)\*(?!\*)", (ROOT / "docs/runbook.md").read_text(encoding="utf-8"))
    panels = {panel.title for board in BOARDS for _, panels in board.rows for panel in panels}
    rows = {title for board in BOARDS for title, _ in board.rows}
    known_titles = {board.title for board in BOARDS} | rows | panels
    assert len(named) > 10
    assert {" ".join(name.split()) for name in named} <= known_titles


def every_rule() -> list[dict]:
    return [rule for group in rules()["groups"] for rule in group["rules"]]


def names_in(expression: str) -> set[str]:
    return set(OWN.findall(expression))


def known() -> set[str]:
    """Every series that a metric of the document has."""
    families = {(name, kind) for name, kind, _ in rows()}
    histograms = {name for name, kind in families if kind == "histogram"}
    return {name for name, _ in families} | {
        f"{name}_{part}" for name in histograms for part in ("bucket", "sum", "count")
    }
