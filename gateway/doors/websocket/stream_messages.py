"""The messages of /ws/stream: what comes in as values, what goes out as JSON or as binary frames.

A binary frame is: length of the context id (1 byte), the id, the segment (4 bytes), the first sample (8 bytes), the
audio; numbers are little-endian.
"""

import base64
import json
import struct
from dataclasses import dataclass
from typing import Any

from gateway.doors.fields import SAMPLING_FIELDS, Fields, read_object
from gateway.doors.websocket.farewell import refusal
from gateway.encoders import Output
from gateway.events import Chunk, Finished, Started
from gateway.request import BadField, ListenRequest, SpeechRequest
from gateway.request_id import SANE
from gateway.speech.manuscript import MAX_PATIENCE_MS
from swara.errors import InvalidRequest, SwaraError
from swara.stopwatch import Stopwatch

INPUT_FIELDS = ("context_id", "text", "continue", "flush", "cancel")
SPEECH_FIELDS = ("model", "voice", "seed", *SAMPLING_FIELDS, "max_buffer_delay_ms", "shareable")
LISTEN_FIELDS = ("listen", "from", "first_sample")
ANSWER_FIELDS = ("output_format", "add_timestamps")
CONFIGURATION_FIELDS = frozenset((*SPEECH_FIELDS, *LISTEN_FIELDS, *ANSWER_FIELDS))
FIELDS = CONFIGURATION_FIELDS | frozenset(INPUT_FIELDS)
FORMAT_FIELDS = frozenset(("container", "encoding", "sample_rate", "frames"))

ENCODINGS = {"pcm_s16le": "pcm", "pcm_mulaw": "mulaw", "pcm_alaw": "alaw"}
CONTAINERS = ("raw", "wav", "mp3", "opus", "aac", "flac")
BASE64, BINARY = FRAMES = ("base64", "binary")
START, LIVE = JOINS = ("start", "live")
# Longer than a language model takes between two tokens, shorter than a pause that somebody would take for the end.
BUFFER_DELAY_MS = 3_000
MAX_SAMPLE = 2**63 - 1


@dataclass(frozen=True)
class Input:
    """One message: for its context, text to add, and whether to flush, to end the text, or to cancel."""

    context_id: str
    text: str
    flush: bool
    more: bool
    cancel: bool
    fields: Fields
    configures: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """How a context's audio goes out."""

    output: Output
    frames: str
    add_timestamps: bool


def read_values(data: str | bytes | None) -> dict[str, Any]:
    """A message's JSON object; raises InvalidRequest."""
    if not isinstance(data, str):
        raise InvalidRequest("a message is text holding a JSON object, this was a binary message")
    return read_object(data)


def context_of(values: dict[str, Any]) -> str:
    """The id of the context that a message is for; raises BadField."""
    name = values.get("context_id")
    if not isinstance(name, str) or not SANE.fullmatch(name):
        raise BadField("context_id", "context_id must be 1 to 64 letters, digits, dots, underscores or hyphens")
    return name


def read_input(context_id: str, values: dict[str, Any]) -> Input:
    """What a message says; raises BadField."""
    text = values.get("text")
    fields = Fields(values | {"text": "" if text is None else text}, FIELDS)
    return Input(
        context_id=context_id,
        text=fields.text("text"),
        flush=fields.flag("flush"),
        more=fields.flag("continue"),
        cancel=fields.flag("cancel"),
        fields=fields,
        configures=tuple(sorted(CONFIGURATION_FIELDS & fields.given)),
    )


def answer_of(fields: Fields) -> Answer:
    """How a new context's audio is to go out; raises BadField."""
    wanted = Fields(fields.object("output_format") or {}, FORMAT_FIELDS)
    container = wanted.one_of("container", CONTAINERS)
    encoding = wanted.one_of("encoding", tuple(ENCODINGS))
    rate_hz = wanted.whole("sample_rate", MAX_SAMPLE)
    output = Output(ENCODINGS[encoding] if container == "raw" else container, rate_hz).checked()
    return Answer(output, wanted.one_of("frames", FRAMES), fields.flag("add_timestamps"))


def patience_seconds(fields: Fields) -> float:
    """How long a new context's text may wait for the end of its sentence; raises BadField."""
    given_ms = fields.whole("max_buffer_delay_ms", MAX_PATIENCE_MS)
    return (BUFFER_DELAY_MS if given_ms is None else given_ms) / 1000


def speech_request(fields: Fields, request_id: str, arrival: Stopwatch) -> SpeechRequest:
    """What a new context that speaks asks for, but for its text; raises BadField."""
    if misplaced := sorted(fields.given.intersection(LISTEN_FIELDS) - {"listen"}):
        raise BadField(misplaced[0], f"{' and '.join(misplaced)} must come with listen: this context speaks")
    return fields.speech_request("text", request_id, arrival)


def listen_request(fields: Fields, request_id: str, key_name: str, credential: str) -> ListenRequest | None:
    """What a new context that joins a synthesis asks for; None for one that speaks. Raises BadField."""
    if not (synthesis_id := fields.text("listen")):
        return None
    spoken = fields.given.intersection(SPEECH_FIELDS) | ({"text"} if fields.text("text") else set())
    if spoken:
        raise BadField(min(spoken), f"{', '.join(sorted(spoken))} must not come with listen: who began it said how")
    first_sample = fields.whole("first_sample", MAX_SAMPLE)
    live = fields.one_of("from", JOINS) == LIVE
    if live and first_sample is not None:
        raise BadField("first_sample", "first_sample says where to join, so from must not be live")
    return ListenRequest(
        request_id=request_id,
        synthesis_id=synthesis_id,
        first_sample=None if live else first_sample or 0,
        key_name=key_name,
        credential=credential,
    )


def started(context_id: str, event: Started, content_type: str, rate_hz: int) -> str:
    """The request as it was taken; `sample_rate` is that of the audio as it goes out."""
    message = {"type": "started", "done": False, "context_id": context_id} | vars(event)
    del message["fingerprint"], message["writer"]
    return json.dumps(
        message | {"model_fingerprint": event.fingerprint, "sample_rate": rate_hz, "content_type": content_type}
    )


def segment(context_id: str, chunk: Chunk) -> str:
    """Which text begins at which sample."""
    mark = {"segment": chunk.segment, "first_sample": chunk.first_sample, "text": chunk.text}
    return json.dumps({"type": "segment", "done": False, "context_id": context_id} | mark, ensure_ascii=False)


def audio(context_id: str, number: int, first_sample: int, data: bytes) -> str:
    """A stretch of audio as JSON."""
    mark = {"segment": number, "first_sample": first_sample, "data": base64.b64encode(data).decode()}
    return json.dumps({"type": "chunk", "done": False, "context_id": context_id} | mark)


def audio_frame(context_id: str, number: int, first_sample: int, data: bytes) -> bytes:
    """A stretch of audio as a binary frame."""
    name = context_id.encode()
    return struct.pack("<B", len(name)) + name + struct.pack("<IQ", number, first_sample) + data


def finished(context_id: str, event: Finished) -> str:
    """The end of a context that spoke."""
    end = {"reason": event.reason.value, "samples": event.samples, "segments": event.segments}
    return json.dumps({"type": "done", "done": True, "context_id": context_id} | end)


def failed(context_id: str | None, error: SwaraError, request_id: str) -> str:
    """The end of a context that failed; without a context nothing has ended."""
    message = {"type": "error", "done": context_id is not None, "context_id": context_id}
    return json.dumps(message | refusal(error, request_id), ensure_ascii=False)
