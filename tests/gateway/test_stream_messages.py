"""stream_messages.py: whatever comes is a value or an error with a sentence; what goes out can be read back."""

import base64
import json
import struct
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.doors.websocket import stream_messages
from gateway.encoders import Output
from gateway.events import Chunk, Finished, Started, Timings
from gateway.request import BadField
from swara.errors import Full, InvalidRequest, SwaraError
from swara.speech import FinishReason
from swara.stopwatch import Stopwatch

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KNOWN = st.sampled_from(sorted(stream_messages.FIELDS))


@given(st.dictionaries(KNOWN, JSON, max_size=8))
def test_whatever_the_fields_hold_there_is_a_value_or_a_sentence(values: dict[str, Any]) -> None:
    with suppress(InvalidRequest):
        message = stream_messages.read_input(stream_messages.context_of(values), values)
        assert isinstance(stream_messages.answer_of(message.fields).output, Output)
        assert 0 <= stream_messages.patience_seconds(message.fields) <= 60
        wanted = stream_messages.listen_request(message.fields, "r1", "", "")
        assert wanted is None or wanted.first_sample is None or wanted.first_sample >= 0


@pytest.mark.parametrize("data", [b"{}", None, "", "[]", "{", '{"a": NaN}', '"x"', "[" * 100_000])
def test_what_is_no_json_object_is_refused(data: str | bytes | None) -> None:
    with pytest.raises(InvalidRequest):
        stream_messages.read_values(data)


@pytest.mark.parametrize("context_id", [None, "", 7, "a b", "é", "x" * 65])
def test_a_context_has_a_short_plain_id(context_id: object) -> None:
    with pytest.raises(InvalidRequest, match="1 to 64 letters"):
        stream_messages.context_of({"context_id": context_id})


def test_null_is_the_same_as_leaving_a_field_out() -> None:
    first = stream_messages.read_input("a", {"context_id": "a", "text": None, "voice": None, "seed": 7})
    assert first.configures == ("seed",)
    assert stream_messages.speech_request(first.fields, "r1", Stopwatch()).text == ""


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"listen": "s", "text": "x", "voice": "asha"}, "text, voice must not come with listen"),
        ({"listen": "s", "shareable": True}, "shareable must not come with listen"),
        ({"text": "x", "from": "live"}, "from must come with listen"),
        ({"text": "x", "from": "start", "first_sample": 3}, "first_sample and from must come with listen"),
    ],
)
def test_a_context_speaks_or_listens_and_what_belongs_to_the_other_is_refused(
    fields: dict[str, Any], sentence: str
) -> None:
    first = stream_messages.read_input("a", {"context_id": "a"} | fields)
    with pytest.raises(BadField, match=sentence):
        _ = stream_messages.listen_request(first.fields, "r1", "", "") or stream_messages.speech_request(
            first.fields, "r1", Stopwatch()
        )


@pytest.mark.parametrize(
    ("form", "output"),
    [
        (None, Output("pcm")),
        ({"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8_000}, Output("mulaw", 8_000)),
        ({"container": "mp3"}, Output("mp3")),
        ({"container": "wav", "sample_rate": 48_000}, Output("wav", 48_000)),
    ],
)
def test_an_output_format_is_one_of_ours(form: dict[str, Any] | None, output: Output) -> None:
    values = {"context_id": "a"} | ({"output_format": form} if form else {})
    assert stream_messages.answer_of(stream_messages.read_input("a", values).fields).output == output


@given(
    st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**63),
    st.binary(),
)
def test_a_binary_frame_can_be_read_back(context_id: str, segment: int, first_sample: int, data: bytes) -> None:
    frame = stream_messages.audio_frame(context_id, segment, first_sample, data)
    size = frame[0]
    assert frame[1 : 1 + size].decode() == context_id
    assert struct.unpack_from("<IQ", frame, 1 + size) == (segment, first_sample)
    assert frame[1 + size + 12 :] == data


def test_what_goes_out_says_its_type_its_context_and_whether_it_is_the_last() -> None:
    started = Started("r1", "s1", "m", "f", "v", 7, 24_000)
    finished = Finished(FinishReason.CANCELLED, 10, 1, 1, Timings(0.1, 0.2))
    sent = [
        stream_messages.started("a", started, "audio/pcm", 24_000),
        stream_messages.segment("a", Chunk(0, 0, b"", 0, b"", text="हाँ।")),
        stream_messages.audio("a", 0, 5, b"\1\2"),
        stream_messages.finished("a", finished),
        stream_messages.failed("a", Full("no room", 2.0), "r1"),
    ]
    told = [json.loads(message) for message in sent]
    assert [message["type"] for message in told] == ["started", "segment", "chunk", "done", "error"]
    assert [message["done"] for message in told] == [False, False, False, True, True]
    assert {message["context_id"] for message in told} == {"a"}
    assert (told[0]["seed"], told[0]["model_fingerprint"], told[1]["text"]) == (7, "f", "हाँ।")
    assert base64.b64decode(told[2]["data"]) == b"\1\2"
    assert (told[3]["reason"], told[4]["retry_after_seconds"], told[4]["code"]) == ("cancelled", 2.0, "full")


def test_an_error_that_names_no_context_ends_nothing() -> None:
    told = json.loads(stream_messages.failed(None, SwaraError("what?"), "r1"))
    assert (told["context_id"], told["done"]) == (None, False)
