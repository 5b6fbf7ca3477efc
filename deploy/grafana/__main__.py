"""`python -m deploy.grafana`: writes the dashboards' JSON files; a test sees that they are up to date."""

from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana.boards import BOARDS
from deploy.grafana.panels import Board

FOLDER = Path(__file__).parent


def path_of(board: Board) -> Path:
    """Where a dashboard's JSON is."""
    return FOLDER / f"{board.uid}.json"


def written(board: Board) -> str:
    """The JSON."""
    return JSONEncoder(sort_keys=True, indent=2).encode(board.build().build()) + "\n"


if __name__ == "__main__":
    for board in BOARDS:
        path_of(board).write_text(written(board), encoding="utf-8")
