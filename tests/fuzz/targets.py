"""Everything that reads what a stranger sends, each as a function of bytes; it may refuse, and do nothing else."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from google.protobuf.message import DecodeError, Message
from starlette.datastructures import Headers

from gateway.access.credential import header, of_header
from gateway.doors.fields import Fields, read_object
from gateway.doors.grpc import messages
from gateway.doors.http.http_speech import FIELDS, output_of, stream_format_of
from gateway.doors.http.origins import Origins, origins_of
from gateway.doors.websocket import stream_messages
from gateway.keys import read_keys
from gateway.request import SpeechRequest
from gateway.request_id import SANE, resolve
from gateway.sharing.synthesis_id import SynthesisIds
from gateway.speech.manuscript import Manuscript
from gateway.speech.resume import FRONT, MAC_BYTES, Sealer
from gateway.text import Reader, Style, segments
from swara import frames
from swara.errors import InvalidRequest, SetupError, SwaraError
from swara.stopwatch import Stopwatch
from swara.v1 import speech_service_pb2 as speech

MAX_CHARACTERS = 200
CODEBOOK_SIZE = 4096
SEALER = Sealer((b"k" * 16,), 60.0)
IDS = SynthesisIds((b"k" * 16,), "127.0.0.1:50051")
Target = Callable[[bytes], None]
M = TypeVar("M", bound=Message)


def http_body(data: bytes) -> None:
    """POST /v1/audio/speech."""
    fields = Fields(read_object(data), FIELDS)
    _ = output_of(fields), stream_format_of(fields)
    fields.speech_request("input", "r", Stopwatch()).checked(MAX_CHARACTERS)


def websocket_message(data: bytes) -> None:
    """A message of /ws/stream."""
    values = stream_messages.read_values(data.decode("utf-8", "surrogatepass"))
    message = stream_messages.read_input(stream_messages.context_of(values), values)
    _ = stream_messages.answer_of(message.fields), stream_messages.patience_seconds(message.fields)
    manuscript = Manuscript(MAX_CHARACTERS, None, 1.0)
    manuscript.write(message.text)
    if stream_messages.listen_request(message.fields, "r", "", "") is None:
        stream_messages.speech_request(message.fields, "r", Stopwatch())


def grpc_synthesize(data: bytes) -> None:
    """SpeechService.Synthesize."""
    request = messages.speech_request(_parsed(speech.SynthesizeRequest, data), "r", None, Stopwatch())
    if request.resume_token:
        SEALER.opened(request, 0.0)
    request.checked(MAX_CHARACTERS)


def grpc_stream_synthesize(data: bytes) -> None:
    """The configuration of SpeechService.StreamSynthesize."""
    message = _parsed(speech.StreamSynthesizeRequest, data)
    manuscript = Manuscript(MAX_CHARACTERS, None, 1.0)
    messages.streamed_request(message.configuration, manuscript, "r", None, Stopwatch()).checked(MAX_CHARACTERS)
    manuscript.write(message.text)


def grpc_listen(data: bytes) -> None:
    """SpeechService.Listen."""
    wanted = messages.listen_request(_parsed(speech.ListenRequest, data), "r", None, "")
    IDS.owner(wanted.synthesis_id)


def resume_token(data: bytes) -> None:
    """A token that nobody of us has signed opens nothing."""
    SEALER.opened(SpeechRequest("r", "", resume_token=data), 0.0)
    raise AssertionError("a token that was made up was believed")


def synthesis_id(data: bytes) -> None:
    """An id that nobody of us has signed has no owner."""
    IDS.owner(data.decode("utf-8", "replace"))
    raise AssertionError("an id that was made up was believed")


def codes(data: bytes) -> None:
    """Frames as they cross a wire."""
    assert len(frames.unpack(data, CODEBOOK_SIZE)) * frames.FRAME_BYTES == len(data)


def headers(data: bytes) -> None:
    """What is read of a request's headers: request id, key, origin."""
    text = data.decode("latin-1")
    assert SANE.fullmatch(resolve(text))
    assert of_header(header(key := of_header(text))[1]) == key
    lines = Headers(raw=[(b"origin", data), (b"host", b"swara.example")])
    may = Origins(None, frozenset())._may(lines)  # type: ignore[arg-type]
    assert not may or data.lower().endswith(b"//swara.example")


def key_file(data: bytes) -> None:
    """The key file, of an operator who errs."""
    read_keys(data.decode("utf-8", "replace"))


def origins(data: bytes) -> None:
    """The setting allowed_origins."""
    origins_of(data.decode("utf-8", "replace"))


def text(data: bytes, language: str = "hi", scripts: tuple[str, ...] = ()) -> None:
    """From a text to what is spoken: cut and read."""
    written = data.decode("utf-8", "replace")[:MAX_CHARACTERS]
    said = list(segments(written, 50, Reader(Style(), language, scripts, ("laugh",)).read))
    assert all(0 < len(segment) <= 50 for segment in said)


def _parsed(kind: type[M], data: bytes) -> M:
    """The message; raises InvalidRequest where it is none, as the door does: what is left of one may hold anything."""
    message = kind()
    try:
        message.ParseFromString(data)
    except DecodeError:
        raise InvalidRequest("this is no message of that type") from None
    return message


TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (
        http_body,
        websocket_message,
        grpc_synthesize,
        grpc_stream_synthesize,
        grpc_listen,
        resume_token,
        synthesis_id,
        codes,
        headers,
        key_file,
        origins,
    )
}
TARGETS["text_hindi"] = text
TARGETS["text_devanagari_only"] = partial(text, scripts=("Devanagari",))
TARGETS["text_english"] = partial(text, language="en")
# Something of each to begin with: a fuzzer finds what is near by itself.
SEEDS: dict[str, tuple[bytes, ...]] = {
    "http_body": (b'{"input":"a","speed":1.5,"response_format":"pcm","sample_rate":8000,"seed":1,"top_p":0.9}',),
    "websocket_message": (
        b'{"context_id":"a","text":"b","continue":true,"flush":true,"output_format":{"container":"raw"}}',
        b'{"context_id":"a","listen":"x","from":"live","first_sample":3}',
    ),
    "grpc_synthesize": (speech.SynthesizeRequest(text="a", speaker={"voice": "b", "seed": 3}).SerializeToString(),),
    "resume_token": (b"S1" + b"\0" * (FRONT.size - 2 + MAC_BYTES),),
    "headers": (b"Bearer swara_x", b"https://swara.example"),
    "key_file": (b'a = { sha256 = "' + b"0" * 64 + b'", streams = 4 }',),
    "text_hindi": ("₹1,23,456.78 पर 12/03/2024 को 5:30 बजे **आइए** 😀 dr. x@y.com <laugh>".encode(),),
    "text_english": (
        "Dr. Smith paid $1,234.50 on 3/4/2024 at 5:30 p.m. — 50% of 2nd; see https://x.y/z <laugh>".encode(),
    ),
}


def refuses_or_takes(target: Target, data: bytes) -> None:
    """Runs a target; refusing is fine, anything else that is raised is a finding."""
    try:
        target(data)
    except (SwaraError, SetupError):
        return
    except UnicodeDecodeError:
        # A WebSocket library refuses such a message before we see it.
        assert target is websocket_message
