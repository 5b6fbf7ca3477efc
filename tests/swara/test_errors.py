"""The error tree: one kind, four wires."""

import asyncio

import grpc
import pytest

from swara import errors


def every_kind() -> list[type[errors.SwaraError]]:
    return [*errors.KINDS, *errors.NARROWER]


@pytest.mark.parametrize("kind", every_kind())
def test_every_kind_has_codes_that_exist_on_every_wire(kind: type[errors.SwaraError]) -> None:
    assert hasattr(grpc.StatusCode, kind.grpc_code)
    assert 400 <= kind.http_status <= 599
    assert kind.websocket_close in {1001, 1008, 1011, 1012, 1013}
    assert kind("why").sentence == str(kind("why")) == "why"


def test_labels_tell_the_kinds_apart() -> None:
    labels = [kind.label for kind in every_kind()]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("kind", errors.KINDS)
def test_a_kind_is_found_again_by_its_grpc_code(kind: type[errors.SwaraError]) -> None:
    assert errors.kind_of(kind.grpc_code) is kind


@pytest.mark.parametrize("kind", every_kind())
def test_its_label_tells_it_from_others_of_the_same_code(kind: type[errors.SwaraError]) -> None:
    assert errors.kind_of(kind.grpc_code, kind.label) is kind


def test_a_code_that_no_kind_has_is_called_broken() -> None:
    assert errors.kind_of("DATA_LOSS") is errors.Broken


def test_silence_is_told_like_a_deadline_and_counted_as_the_callers() -> None:
    silent = errors.Silent("you took nothing")
    assert (silent.label, silent.grpc_code, silent.websocket_close) == ("timed_out", "DEADLINE_EXCEEDED", 1011)
    assert (silent.outcome, errors.TimedOut("late").outcome) == ("silent", "timed_out")


def test_full_says_when_to_come_back() -> None:
    assert errors.Full("no room", 2.5).retry_after_seconds == 2.5
    assert (errors.Full.grpc_code, errors.Full.http_status, errors.Full.websocket_close) == (
        "RESOURCE_EXHAUSTED",
        429,
        1013,
    )


@pytest.mark.parametrize(
    ("error", "label"),
    [
        *((kind("why"), kind.label) for kind in every_kind()),
        (asyncio.CancelledError(), "cancelled"),
        (GeneratorExit(), "cancelled"),
        (ValueError("nobody foresaw it"), "broken"),
        (None, "broken"),
    ],
)
def test_a_stream_is_counted_as_what_ended_it(error: BaseException | None, label: str) -> None:
    assert errors.label_of(error) == label
