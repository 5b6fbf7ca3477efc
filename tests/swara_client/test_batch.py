"""`swara batch` against the real stack: many texts, one of them wrong, and a second run."""

import re
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from swara.stack import Stack
from swara_client import Client
from swara_client.batch import lines_of
from tests.gateway.gateway_process import Doors, gateway_alone
from tests.stack.doors import assert_equal_speech
from tests.swara_client.command import assert_one_sentence, samples_of, swara

TEXTS = "हाँ।\n\nनहीं।\n।।।\n  ठीक है।  \n"


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.txt"
    path.write_text(TEXTS, encoding="utf-8")
    return path


def test_lines_are_named_by_number_and_blank_ones_left_out(texts: Path, tmp_path: Path) -> None:
    lines = list(lines_of(texts, tmp_path))
    assert [(line.number, line.text, line.target.name) for line in lines] == [
        (1, "हाँ।", "0001.wav"),
        (3, "नहीं।", "0003.wav"),
        (4, "।।।", "0004.wav"),
        (5, "ठीक है।", "0005.wav"),
    ]


def test_lines_end_where_editors_end_them(tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_bytes("one\u2028and\x0bone\x85\r\ntwo\rthree\n".encode())
    assert [(line.number, line.text) for line in lines_of(file, tmp_path)] == [
        (1, "one\u2028and\x0bone"),
        (2, "two"),
        (3, "three"),
    ]


def test_ten_thousand_lines_need_five_digits(tmp_path: Path) -> None:
    path = tmp_path / "many.txt"
    path.write_text("हाँ।\n" * 10_000, encoding="utf-8")
    assert next(lines_of(path, tmp_path)).target.name == "00001.wav"


def test_a_failed_line_is_reported_the_others_are_spoken_and_a_second_run_resumes(
    stack: Stack, client: Client, texts: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = ("batch", texts, out, "--seed", 1, "--address", stack.gateway_address)
    first = swara(*command)
    said = first.stderr.decode()
    assert first.returncode == 1
    assert re.search(r"line 4 failed: the text is empty.* \(request \w+\)", said)
    assert re.search(r"3 texts spoken, 0 there already, 1 failed: [\d.]+ s of speech in .* real-time factor", said)
    assert sorted(path.name for path in out.iterdir()) == ["0001.wav", "0003.wav", "0005.wav"]
    assert_equal_speech(samples_of(out / "0001.wav"), client.synthesize("हाँ।", seed=1).read())

    before = (out / "0001.wav").stat().st_mtime_ns
    (out / "0003.wav").unlink()
    again = swara(*command).stderr.decode()
    assert "1 texts spoken, 2 there already, 1 failed" in again
    assert (out / "0001.wav").stat().st_mtime_ns == before
    assert (out / "0003.wav").exists()


@pytest.fixture
def small_gateway(stack: Stack) -> Iterator[Doors]:
    with gateway_alone(f"--audio-address={stack.audio_address}", "--max-streams=1") as (doors, _):
        yield doors


def test_a_batch_waits_where_the_server_is_full(small_gateway: Doors, texts: Path, tmp_path: Path) -> None:
    texts.write_text("हाँ।\nनहीं।\nठीक।\n", encoding="utf-8")
    done = swara("batch", texts, tmp_path / "out", "--jobs", 3, "--address", small_gateway.grpc_address)
    assert done.returncode == 0
    assert "3 texts spoken, 0 there already, 0 failed" in done.stderr.decode()
    for path in (tmp_path / "out").iterdir():
        with wave.open(str(path)) as file:
            assert file.getnframes()


def test_a_batch_with_nobody_there_fails_every_line(texts: Path, tmp_path: Path) -> None:
    done = swara("batch", texts, tmp_path / "out", "--address", "127.0.0.1:1")
    assert done.returncode == 1
    assert done.stderr.decode().count("went away or cannot be reached") == 4


def test_a_file_of_texts_that_is_not_utf_8_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_bytes(b"a\xff")
    assert_one_sentence(swara("batch", path, tmp_path / "out"), "is not UTF-8 text")
