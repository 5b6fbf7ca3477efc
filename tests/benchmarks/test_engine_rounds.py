"""What rounds of rows come to."""

from typing import Any

from benchmarks.engine_rounds import RATE, RAW, medians


def row(number: int, engine: str, rate: float, streams: int = 64) -> dict[str, Any]:
    return {
        "round": number,
        "engine": engine,
        "precision": "bf16",
        "streams": streams,
        RATE: rate,
        "step_ms": 1e3 / rate,
    }


def test_a_row_is_the_median_of_its_rounds_beside_the_least_and_the_most() -> None:
    (found,) = medians([row(1, "vllm", 100.0), row(2, "vllm", 250.0), row(3, "vllm", 125.0)])
    assert (found["engine"], found["precision"], found["streams"], found["rounds"]) == ("vllm", "bf16", 64, 3)
    assert (found[RATE], found["step_ms"]) == (125.0, 8.0)
    assert (found[f"{RATE}_least"], found[f"{RATE}_most"]) == (100.0, 250.0)


def test_the_share_of_vllm_by_itself_is_taken_within_a_round_so_that_a_slow_spell_of_both_is_not_in_it() -> None:
    rounds = [row(1, "vllm", 90.0), row(1, RAW, 100.0), row(2, "vllm", 180.0), row(2, RAW, 200.0)]
    rounds += [row(3, "vllm", 160.0), row(3, RAW, 160.0)]
    ours, raw = medians(rounds)
    assert (ours["share_of_raw"], ours["share_of_raw_least"], ours["share_of_raw_most"]) == (0.9, 0.9, 1.0)
    assert "share_of_raw" not in raw


def test_a_round_that_one_of_the_two_did_not_live_to_see_has_no_share() -> None:
    ours, _ = medians([row(1, "vllm", 90.0), row(1, RAW, 100.0), row(2, "vllm", 10.0)])
    assert (ours["rounds"], ours["share_of_raw"], ours["share_of_raw_least"]) == (2, 0.9, 0.9)
    (alone,) = medians([row(1, "vllm", 90.0)])
    assert "share_of_raw" not in alone


def test_rows_are_grouped_by_engine_and_keep_the_order_in_which_they_were_asked_for() -> None:
    rounds = [row(1, engine, 100.0, streams) for streams in (256, 1) for engine in ("vllm", "native")]
    found = [(row["engine"], row["streams"]) for row in medians(rounds)]
    assert found == [("vllm", 256), ("vllm", 1), ("native", 256), ("native", 1)]
