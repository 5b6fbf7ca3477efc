"""Whatever bytes a stranger sends, every parser takes them or refuses them with a sentence, and soon."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.doors.http.http_speech import FIELDS as HTTP_FIELDS
from gateway.doors.websocket.stream_messages import FIELDS as STREAM_FIELDS
from tests.fuzz.targets import SEEDS, TARGETS, http_body, refuses_or_takes, websocket_message

SECONDS = 10
# One input; a text of 200 characters is read in a few milliseconds, on a machine that does other things too.
INPUT_SECONDS = 5
pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(120)]

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def objects(fields: frozenset[str]) -> st.SearchStrategy[bytes]:
    """JSON objects whose names mostly exist."""
    names = st.sampled_from(sorted(fields)) | st.text(max_size=5)
    return st.dictionaries(names, values, max_size=8).map(lambda value: json.dumps(value).encode())


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=300, derandomize=False)
@given(data=st.data())
def test_bytes(name: str, data: st.DataObject) -> None:
    refuses_or_takes(TARGETS[name], data.draw(st.binary(max_size=400) | st.text(max_size=200).map(encoded)))


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@settings(max_examples=1000, derandomize=False)
@given(objects(HTTP_FIELDS))
def test_json_bodies(body: bytes) -> None:
    refuses_or_takes(http_body, body)


@settings(max_examples=1000, derandomize=False)
@given(objects(STREAM_FIELDS), st.text(max_size=70))
def test_json_messages(body: bytes, context_id: str) -> None:
    refuses_or_takes(websocket_message, json.dumps(json.loads(body) | {"context_id": context_id or "a"}).encode())


@pytest.mark.parametrize("name", TARGETS)
def test_coverage_guided(name: str, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(SEEDS.get(name, ())):
        (corpus / str(number)).write_bytes(seed)
    limits = (f"-max_total_time={SECONDS}", f"-timeout={INPUT_SECONDS}", "-max_len=600", "-seed=1")
    command = [sys.executable, "-m", "tests.fuzz.atheris_target", name, *limits, f"-artifact_prefix={tmp_path}/"]
    done = subprocess.run([*command, str(corpus)], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr[-4000:] + repr([path.read_bytes() for path in tmp_path.glob("*-*")])
    assert "Done" in done.stderr
