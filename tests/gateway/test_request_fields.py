"""fields.py: JSON to a SpeechRequest, each wrong thing with a sentence of its own."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.doors.fields import SAMPLING_FIELDS, Fields, read_object
from gateway.request import BadField, SpeechRequest
from swara.errors import InvalidRequest
from swara.speech import Sampling
from swara.stopwatch import Stopwatch

KNOWN = frozenset(("text", "model", "voice", "seed", "benchmark", *SAMPLING_FIELDS))
ANYTHING = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5)


def request_of(values: dict[str, Any]) -> SpeechRequest:
    return Fields(values, KNOWN).speech_request("text", "r1", Stopwatch()).checked(1000)


def test_every_field_arrives_in_the_request() -> None:
    request = request_of({"text": "नमस्ते", "voice": "v", "model": "m", "seed": 7, "temperature": 1, "top_k": 5})
    assert (request.text, request.voice, request.model, request.seed) == ("नमस्ते", "v", "m", 7)
    assert request.sampling == Sampling(temperature=1.0, top_k=5)


def test_null_counts_as_missing() -> None:
    assert request_of({"text": "a", "seed": None, "voice": None}).seed is None


@pytest.mark.parametrize("written", ["25.0", "2.5e1", "25"])
def test_a_whole_number_is_one_however_json_writes_it(written: str) -> None:
    request = request_of(read_object(f'{{"text": "a", "seed": {written}, "top_k": {written}}}'))
    assert (repr(request.seed), repr(request.sampling.top_k)) == ("25", "25")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", 5), ("text", ["a"]), ("voice", {"id": "x"}), ("seed", "1"), ("seed", 1.5), ("seed", True),
        ("seed", -1), ("seed", 2**64), ("seed", -1.0), ("seed", 1e300),
        ("seed", float("inf")), ("temperature", "hot"), ("temperature", False), ("temperature", 10**400),
        ("top_k", 10**30), ("benchmark", "yes"),
    ],
)  # fmt: skip
def test_a_wrong_type_or_size_is_named_by_its_field(field: str, value: Any) -> None:
    fields = Fields({"text": "a", field: value}, KNOWN)
    with pytest.raises(BadField, match=field) as caught:
        _ = fields.speech_request("text", "r1", Stopwatch()), fields.flag("benchmark")
    assert caught.value.param == field


@pytest.mark.parametrize("value", [65_537, 2**40])
def test_one_limit_is_told_however_far_a_value_is_past_it(value: int) -> None:
    with pytest.raises(BadField, match="top_k must be between 0 and 65536"):
        request_of({"text": "a", "top_k": value})


def test_an_unknown_field_is_named_with_the_known_ones() -> None:
    with pytest.raises(BadField, match=r"'colour'.*benchmark, model"):
        Fields({"text": "a", "colour": 1}, KNOWN)


def test_a_missing_text_is_named() -> None:
    with pytest.raises(BadField, match="text is missing"):
        request_of({"voice": "v"})


@pytest.mark.parametrize(
    "values",
    [
        {"text": ""}, {"text": " \n\t"}, {"text": "।?!"}, {"text": "a" * 1001}, {"text": "a\ud800"},
        {"text": "a", "voice": "\udfff"}, {"text": "a", "temperature": 2.1}, {"text": "a", "top_p": 0},
        {"text": "a", "repetition_penalty": 0.5}, {"text": "a", "temperature": float("nan")},
    ],
)  # fmt: skip
def test_what_no_model_could_speak_is_refused_before_any_model_is_asked(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        request_of(values)


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[1]", b"null", b'"text"', b"\xff\xfe", b'{"a":NaN}', b'{"a":' + b"9" * 5000 + b"}", b"[" * 100_000],
)
def test_what_is_not_a_json_object_is_a_sentence(data: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"^the message (is not JSON|must be a JSON object)"):
        read_object(data)


@given(st.dictionaries(st.sampled_from(sorted(KNOWN)) | st.text(max_size=5), ANYTHING))
def test_whatever_a_json_object_holds_the_answer_is_a_request_or_a_sentence(values: dict[str, Any]) -> None:
    with suppress(InvalidRequest):
        assert request_of(read_object(json.dumps(values))).text == values["text"]
