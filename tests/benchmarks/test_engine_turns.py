"""Engines side by side: whose turn it is, and what happens when one cannot start or dies."""

import os
import signal
from functools import partial
from typing import Any

import pytest

from benchmarks.engine_turns import EngineLost, Measured, side_by_side, take_turns
from benchmarks.token_service import TokenServiceUnderTest
from swara.errors import SetupError

MODEL = "--model=demo_model/weights/language_model"
FLAGS = [MODEL, "--max-streams=2", "--reserve-streams=0", "--context-tokens=256"]
TEXT = "नमस्ते"


class Patient:
    """Can be asked `rows` times and fails from then on."""

    def __init__(self, rows: int = 1000) -> None:
        self.rows = rows
        self.stopped = False

    def wait_until_ready(self) -> None:
        if not self.rows:
            raise SetupError("there is no such card here")

    def row(self, streams: int, frames: int) -> dict[str, Any]:
        self.rows -= 1
        if self.rows < 0:
            raise EngineLost("its process is gone")
        return {"frames": frames}

    def stop(self) -> None:
        self.stopped = True


def whose(engines: dict[str, Measured], counts: list[int], rounds: int) -> list[tuple[int, int, str]]:
    return [(row["round"], row["streams"], row["engine"]) for row in take_turns(engines, counts, 10, rounds)]


def test_every_engine_gives_a_row_a_count_and_round_and_each_round_begins_with_another_one() -> None:
    turns = whose({"a": Patient(), "b": Patient()}, [1, 64], rounds=3)
    assert [name for _, _, name in turns] == ["a", "b", "a", "b", "b", "a", "b", "a", "a", "b", "a", "b"]
    assert [(number, streams) for number, streams, _ in turns[::2]] == [
        (1, 1),
        (1, 64),
        (2, 1),
        (2, 64),
        (3, 1),
        (3, 64),
    ]


def test_who_is_lost_is_named_and_stopped_and_keeps_its_rows_while_the_others_go_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lost = Patient(rows=2)
    turns = whose({"a": lost, "b": Patient()}, [1, 64, 256], rounds=2)
    assert [name for _, _, name in turns] == ["a", "b", "a", "b", "b", "b", "b", "b"]
    assert lost.stopped
    assert capsys.readouterr().err == "a was lost in round 1 with 256 streams: its process is gone\n"


def test_who_cannot_start_is_named_and_stopped_and_the_others_stand(capsys: pytest.CaptureFixture[str]) -> None:
    absent, present = Patient(rows=0), Patient()
    with side_by_side({"a": lambda: absent, "b": lambda: present}) as engines:
        assert list(engines) == ["b"]
        assert absent.stopped
        assert not present.stopped
    assert present.stopped
    assert capsys.readouterr().err == "a is left out: there is no such card here\n"


def test_nobody_at_all_gives_no_rows() -> None:
    assert whose({}, [1], rounds=2) == []


def test_two_token_services_take_turns_and_one_survives_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    starts = {name: partial(TokenServiceUnderTest, "native", FLAGS, TEXT) for name in ("first", "second")}
    starts["third"] = partial(TokenServiceUnderTest, "native", [*FLAGS, "--model=/nowhere"], TEXT)
    rows = []
    with side_by_side(starts) as engines:
        for row in take_turns(engines, [1, 2], frames=10, rounds=2):
            rows.append((row["round"], row["streams"], row["engine"]))
            if len(rows) == 3:
                second = engines["second"]
                assert isinstance(second, TokenServiceUnderTest)
                os.kill(second.pid, signal.SIGKILL)
            assert row["tokens_per_second_per_stream"] > 0
    assert [name for _, _, name in rows] == ["first", "second", "first", "first", "first"]
    said = capsys.readouterr().err
    assert "third is left out: cannot start: " in said
    assert "second was lost in round 1 with 2 streams: " in said
