"""/ws/stream: several contexts on one connection, each with its own text, its own end and its own errors."""

import base64
import json
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from swara.pcm import from_bytes
from swara.stack import Stack
from swara_client import Client
from tests.gateway.gateway_process import gateway_alone
from tests.stack.doors import FREE_SECONDS, LONG, SHORT, assert_equal_speech, token_load, wait_until

PATIENCE_SECONDS = 60.0
FRAME_SECONDS = 2048 / 24_000
IDLE_SECONDS = 1.5
SENTENCES = ("आज सुबह से बहुत तेज़ बारिश हो रही है और सड़कों पर पानी भर गया है।", "कल मौसम साफ़ रहेगा और हम सब बाज़ार जाएँगे।")


@dataclass
class Heard:
    """What one context has said."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    pcm: bytearray = field(default_factory=bytearray)

    @property
    def last(self) -> dict[str, Any]:
        return self.messages[-1]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == kind]


class Talk:
    """One connection; what comes is put to its context."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.heard: dict[str | None, Heard] = {}

    def say(self, context_id: str, text: str = "", more: bool = False, **fields: Any) -> None:
        self.socket.send(json.dumps({"context_id": context_id, "text": text, "continue": more, **fields}))

    def cancel(self, context_id: str) -> None:
        self.socket.send(json.dumps({"context_id": context_id, "cancel": True}))

    def hear(self) -> dict[str, Any]:
        """The next message."""
        said = self.socket.recv(PATIENCE_SECONDS)
        message = json.loads(said) if isinstance(said, str) else binary(said)
        heard = self.heard.setdefault(message["context_id"], Heard())
        heard.messages.append(message)
        if message["type"] == "chunk":
            heard.pcm += base64.b64decode(message["data"]) if isinstance(message["data"], str) else message["data"]
        return message

    def until(self, context_id: str | None, *kinds: str) -> dict[str, Any]:
        """The next message of one of these kinds for a context."""
        while (message := self.hear())["context_id"] != context_id or message["type"] not in kinds:
            pass
        return message

    def until_done(self, *context_ids: str) -> None:
        while not all(name in self.heard and self.heard[name].last["done"] for name in context_ids):
            self.hear()


def binary(frame: bytes) -> dict[str, Any]:
    size = frame[0]
    segment, first_sample = struct.unpack_from("<IQ", frame, 1 + size)
    name = frame[1 : 1 + size].decode()
    return {
        "type": "chunk",
        "done": False,
        "context_id": name,
        "segment": segment,
        "first_sample": first_sample,
        "data": frame[1 + size + 12 :],
    }


@contextmanager
def talking(stack: Stack) -> Iterator[Talk]:
    with connect(f"ws://{stack.http_address}/ws/stream", max_size=None, close_timeout=2) as socket:
        yield Talk(socket)


@pytest.fixture
def talk(stack: Stack) -> Iterator[Talk]:
    with talking(stack) as opened:
        yield opened


@pytest.mark.parametrize("frames", ["base64", "binary"])
def test_a_context_sounds_as_the_same_text_does_over_grpc(client: Client, talk: Talk, frames: str) -> None:
    talk.say("a", SHORT, seed=7, output_format={"frames": frames})
    talk.until_done("a")
    heard = talk.heard["a"]
    assert_equal_speech(from_bytes(bytes(heard.pcm)), client.synthesize(SHORT, seed=7).read())
    started = heard.messages[0]
    assert (started["type"], started["seed"], started["sample_rate"]) == ("started", 7, 24_000)
    assert (heard.last["reason"], heard.last["samples"]) == ("end_of_speech", len(heard.pcm) // 2)
    assert [chunk["first_sample"] for chunk in heard.of("chunk")][:2] == [0, len(first_data(heard)) // 2]


def first_data(heard: Heard) -> bytes:
    data = heard.of("chunk")[0]["data"]
    return base64.b64decode(data) if isinstance(data, str) else data


def test_speech_begins_while_the_text_is_still_being_written(talk: Talk) -> None:
    talk.say("a", SENTENCES[0] + " " + SENTENCES[1][:20], more=True, seed=7, add_timestamps=True)
    talk.until("a", "chunk")
    talk.say("a", SENTENCES[1][20:])
    talk.until_done("a")
    heard = talk.heard["a"]
    marks = heard.of("segment")
    assert " ".join(mark["text"] for mark in marks) == " ".join(SENTENCES)
    assert [mark["segment"] for mark in marks] == list(range(heard.last["segments"]))
    firsts = {chunk["segment"]: chunk["first_sample"] for chunk in reversed(heard.of("chunk"))}
    assert {mark["segment"]: mark["first_sample"] for mark in marks} == firsts


def test_contexts_speak_side_by_side_and_one_that_is_wrong_ends_alone(client: Client, talk: Talk) -> None:
    talk.say("good", SHORT, seed=3)
    talk.say("bad", SHORT, voice="nobody")
    talk.say("b!d", SHORT)
    talk.socket.send("[1]")
    talk.socket.send(b"\x00")
    talk.socket.send(json.dumps({"context_id": "odd", "colour": "red"}))
    talk.until_done("good", "bad", "odd")
    assert_equal_speech(from_bytes(bytes(talk.heard["good"].pcm)), client.synthesize(SHORT, seed=3).read())
    assert "has no voice 'nobody'" in talk.heard["bad"].last["error"]
    assert (talk.heard["bad"].last["code"], talk.heard["bad"].last["type"]) == ("unknown_name", "error")
    assert "unknown field 'colour'" in talk.heard["odd"].last["error"]
    unnamed = [message["error"] for message in talk.heard[None].messages]
    assert ["context_id must be" in unnamed[0], "JSON object" in unnamed[1], "binary" in unnamed[2]] == [True] * 3


def test_a_flush_and_a_short_delay_speak_what_has_come(talk: Talk) -> None:
    talk.say("flushed", "नमस्ते दोस्तों", more=True, flush=True)
    talk.until("flushed", "chunk")
    talk.say("flushed")
    talk.until_done("flushed")
    talk.say("hurried", "नमस्ते दोस्तों", more=True, max_buffer_delay_ms=50)
    talk.until("hurried", "chunk")
    talk.say("hurried")
    talk.until_done("hurried")


def test_barge_in_frees_the_slot_within_a_frame_and_nothing_is_heard_after_its_answer(stack: Stack, talk: Talk) -> None:
    talk.say("a", LONG, seed=1)
    talk.until("a", "chunk")
    began = time.monotonic()
    talk.cancel("a")
    answer = talk.until("a", "done", "error")
    answered_seconds = time.monotonic() - began
    while token_load(stack).running_streams:
        pass
    free_seconds = time.monotonic() - began
    print(f"cancel to its answer {1000 * answered_seconds:.0f} ms, to slot free {1000 * free_seconds:.0f} ms")
    assert answer["reason"] == "cancelled"
    assert answer["samples"] == len(talk.heard["a"].pcm) // 2
    assert free_seconds < 2 * FRAME_SECONDS
    talk.say("b", SHORT)
    talk.until_done("b")
    assert talk.heard["a"].last is answer


def test_an_id_may_be_used_again_once_its_context_has_ended(talk: Talk) -> None:
    for _ in range(2):
        talk.say("a", SHORT)
        assert talk.until("a", "done", "error")["type"] == "done"


@pytest.mark.parametrize(
    ("later", "sentence"),
    [({"voice": "asha"}, "configured already: voice"), ({"text": 7}, "text must be a string, got a number")],
)
def test_what_is_wrong_later_ends_a_context_that_speaks(
    stack: Stack, talk: Talk, later: dict[str, Any], sentence: str
) -> None:
    talk.say("a", LONG, more=True)
    talk.until("a", "chunk")
    talk.socket.send(json.dumps({"context_id": "a", "continue": True} | later))
    assert sentence in talk.until("a", "done", "error")["error"]
    wait_until(lambda: token_load(stack).running_streams == 0, FREE_SECONDS)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"output_format": {"container": "ogg"}}, "container must be one of raw"),
        ({"output_format": {"encoding": "pcm_f32le"}}, "encoding must be one of pcm_s16le"),
        ({"output_format": {"sample_rate": 7}}, "sample_rate of pcm must be one of"),
        ({"output_format": "wav"}, "output_format must be an object, got a string"),
        ({"max_buffer_delay_ms": 100_000}, "max_buffer_delay_ms must be between 0 and 60000"),
        ({"text": "x" * 20_000}, "20000 characters, the limit is"),
        ({"text": " "}, "the text is empty"),
        ({"text": "\ud83d"}, "half of a surrogate pair"),
        ({"cancel": True}, "there is no context a"),
        ({"listen": "0123"}, "no synthesis with this id"),
        ({"listen": "0123", "from": "yesterday"}, "from must be one of start, live"),
        ({"listen": "0123", "from": "live", "first_sample": 3}, "from must not be live"),
    ],
)
def test_a_context_that_cannot_begin_is_told_why(talk: Talk, fields: dict[str, Any], sentence: str) -> None:
    talk.socket.send(json.dumps({"context_id": "a"} | fields))
    assert sentence in talk.until("a", "done", "error")["error"]


def test_a_connection_has_only_so_many_contexts(talk: Talk) -> None:
    for k in range(17):
        talk.say(f"c{k}", more=True)
    refused = talk.until("c16", "error")
    assert (refused["code"], refused["retry_after_seconds"]) == ("full", 1.0)


def test_telephone_audio_comes_at_its_own_rate(talk: Talk) -> None:
    form = {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8_000}
    talk.say("a", SHORT, seed=7, output_format=form)
    talk.until_done("a")
    heard = talk.heard["a"]
    assert heard.messages[0]["sample_rate"] == 8_000
    assert len(heard.pcm) == pytest.approx(heard.last["samples"] / 3, abs=80)


def test_hanging_up_frees_every_slot_of_the_connection(stack: Stack) -> None:
    with talking(stack) as talk:
        talk.say("a", LONG)
        talk.until("a", "chunk")
    wait_until(lambda: token_load(stack).running_streams == 0, FREE_SECONDS)


def test_others_join_a_shareable_context_from_its_start_or_at_a_sample(stack: Stack, talk: Talk) -> None:
    talk.say("speaks", LONG[:150], seed=5, shareable=True)
    synthesis_id = talk.until("speaks", "started")["synthesis_id"]
    with talking(stack) as other:
        other.say("whole", listen=synthesis_id)
        other.say("rest", listen=synthesis_id, first_sample=5_000)
        other.until_done("whole", "rest")
        talk.until_done("speaks")
        assert other.heard["whole"].pcm == talk.heard["speaks"].pcm
        assert other.heard["rest"].pcm == talk.heard["speaks"].pcm[10_000:]
        assert other.heard["rest"].of("chunk")[0]["first_sample"] == 5_000
        assert other.heard["whole"].messages[0]["request_id"] != talk.heard["speaks"].messages[0]["request_id"]


def test_listeners_who_want_the_same_share_one_encoder(talk: Talk) -> None:
    """Each Ogg stream has a serial number drawn for it: equal bytes come from one encoder."""
    opus = {"container": "opus"}
    talk.say("speaks", SHORT, shareable=True, output_format=opus)
    synthesis_id = talk.until("speaks", "started")["synthesis_id"]
    for name in ("one", "other"):
        talk.say(name, listen=synthesis_id, output_format=opus)
    talk.say("apart", listen=synthesis_id, first_sample=100, output_format=opus)
    talk.until_done("speaks", "one", "other", "apart")
    speaks, one, other, apart = (bytes(talk.heard[name].pcm) for name in ("speaks", "one", "other", "apart"))
    assert speaks == one == other
    assert speaks[:4] == apart[:4] == b"OggS"
    assert speaks[14:18] != apart[14:18]


def test_a_connection_on_which_nothing_is_spoken_and_nothing_comes_is_closed_and_one_that_speaks_is_not(
    stack: Stack,
) -> None:
    # Spoken hardly faster than it is played, a sentence takes longer than the limit on every machine.
    flags = (f"--audio-address={stack.audio_address}", f"--idle-seconds={IDLE_SECONDS}", "--max-lead-seconds=0.5")
    with gateway_alone(*flags) as (doors, _):
        with connect(f"ws://{doors.http_address}/ws/stream", max_size=None, close_timeout=2) as socket:
            talk, began = Talk(socket), time.monotonic()
            talk.say("a", SENTENCES[0])
            talk.until("a", "done", "error")
            spoke_seconds, began = time.monotonic() - began, time.monotonic()
            assert talk.heard["a"].last["reason"] == "end_of_speech"
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(PATIENCE_SECONDS)
        assert spoke_seconds > 2 * IDLE_SECONDS
        assert time.monotonic() - began > IDLE_SECONDS / 2
        assert closed.value.rcvd
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1001, f"nothing was said for {IDLE_SECONDS:g} s")
