from swara.v1 import token_service_pb2 as _token_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListenFrom(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LISTEN_FROM_UNSPECIFIED: _ClassVar[ListenFrom]
    LISTEN_FROM_START: _ClassVar[ListenFrom]
    LISTEN_FROM_LIVE: _ClassVar[ListenFrom]
    LISTEN_FROM_SAMPLE: _ClassVar[ListenFrom]
LISTEN_FROM_UNSPECIFIED: ListenFrom
LISTEN_FROM_START: ListenFrom
LISTEN_FROM_LIVE: ListenFrom
LISTEN_FROM_SAMPLE: ListenFrom

class SynthesizeRequest(_message.Message):
    __slots__ = ("text", "speaker", "priority", "shareable", "resume_token", "resumable")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    SHAREABLE_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RESUMABLE_FIELD_NUMBER: _ClassVar[int]
    text: str
    speaker: Speaker
    priority: _token_service_pb2.Priority
    shareable: bool
    resume_token: bytes
    resumable: bool
    def __init__(self, text: _Optional[str] = ..., speaker: _Optional[_Union[Speaker, _Mapping]] = ..., priority: _Optional[_Union[_token_service_pb2.Priority, str]] = ..., shareable: _Optional[bool] = ..., resume_token: _Optional[bytes] = ..., resumable: _Optional[bool] = ...) -> None: ...

class Speaker(_message.Message):
    __slots__ = ("model", "voice", "sampling", "seed")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VOICE_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    model: str
    voice: str
    sampling: _token_service_pb2.Sampling
    seed: int
    def __init__(self, model: _Optional[str] = ..., voice: _Optional[str] = ..., sampling: _Optional[_Union[_token_service_pb2.Sampling, _Mapping]] = ..., seed: _Optional[int] = ...) -> None: ...

class SynthesizeResponse(_message.Message):
    __slots__ = ("started", "chunk", "finished")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    started: SpeechStarted
    chunk: SpeechChunk
    finished: SpeechFinished
    def __init__(self, started: _Optional[_Union[SpeechStarted, _Mapping]] = ..., chunk: _Optional[_Union[SpeechChunk, _Mapping]] = ..., finished: _Optional[_Union[SpeechFinished, _Mapping]] = ...) -> None: ...

class SpeechStarted(_message.Message):
    __slots__ = ("request_id", "synthesis_id", "model", "model_fingerprint", "voice", "seed", "sample_rate_hz", "being_written")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SYNTHESIS_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    MODEL_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    VOICE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_HZ_FIELD_NUMBER: _ClassVar[int]
    BEING_WRITTEN_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    synthesis_id: str
    model: str
    model_fingerprint: str
    voice: str
    seed: int
    sample_rate_hz: int
    being_written: bool
    def __init__(self, request_id: _Optional[str] = ..., synthesis_id: _Optional[str] = ..., model: _Optional[str] = ..., model_fingerprint: _Optional[str] = ..., voice: _Optional[str] = ..., seed: _Optional[int] = ..., sample_rate_hz: _Optional[int] = ..., being_written: _Optional[bool] = ...) -> None: ...

class SpeechChunk(_message.Message):
    __slots__ = ("segment", "first_sample", "pcm", "resume_token", "since_text_awaited_seconds")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    FIRST_SAMPLE_FIELD_NUMBER: _ClassVar[int]
    PCM_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SINCE_TEXT_AWAITED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    segment: int
    first_sample: int
    pcm: bytes
    resume_token: bytes
    since_text_awaited_seconds: float
    def __init__(self, segment: _Optional[int] = ..., first_sample: _Optional[int] = ..., pcm: _Optional[bytes] = ..., resume_token: _Optional[bytes] = ..., since_text_awaited_seconds: _Optional[float] = ...) -> None: ...

class SpeechFinished(_message.Message):
    __slots__ = ("reason", "samples", "segments", "first_chunk_seconds", "total_seconds", "frames")
    REASON_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    FIRST_CHUNK_SECONDS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    reason: _token_service_pb2.FinishReason
    samples: int
    segments: int
    first_chunk_seconds: float
    total_seconds: float
    frames: int
    def __init__(self, reason: _Optional[_Union[_token_service_pb2.FinishReason, str]] = ..., samples: _Optional[int] = ..., segments: _Optional[int] = ..., first_chunk_seconds: _Optional[float] = ..., total_seconds: _Optional[float] = ..., frames: _Optional[int] = ...) -> None: ...

class StreamSynthesizeRequest(_message.Message):
    __slots__ = ("configuration", "text", "flush", "cancel")
    CONFIGURATION_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    FLUSH_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    configuration: StreamConfiguration
    text: str
    flush: Flush
    cancel: Cancel
    def __init__(self, configuration: _Optional[_Union[StreamConfiguration, _Mapping]] = ..., text: _Optional[str] = ..., flush: _Optional[_Union[Flush, _Mapping]] = ..., cancel: _Optional[_Union[Cancel, _Mapping]] = ...) -> None: ...

class StreamConfiguration(_message.Message):
    __slots__ = ("speaker", "priority", "shareable", "max_buffer_delay_ms")
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    SHAREABLE_FIELD_NUMBER: _ClassVar[int]
    MAX_BUFFER_DELAY_MS_FIELD_NUMBER: _ClassVar[int]
    speaker: Speaker
    priority: _token_service_pb2.Priority
    shareable: bool
    max_buffer_delay_ms: int
    def __init__(self, speaker: _Optional[_Union[Speaker, _Mapping]] = ..., priority: _Optional[_Union[_token_service_pb2.Priority, str]] = ..., shareable: _Optional[bool] = ..., max_buffer_delay_ms: _Optional[int] = ...) -> None: ...

class Flush(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Cancel(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StreamSynthesizeResponse(_message.Message):
    __slots__ = ("started", "chunk", "finished")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    started: SpeechStarted
    chunk: SpeechChunk
    finished: SpeechFinished
    def __init__(self, started: _Optional[_Union[SpeechStarted, _Mapping]] = ..., chunk: _Optional[_Union[SpeechChunk, _Mapping]] = ..., finished: _Optional[_Union[SpeechFinished, _Mapping]] = ...) -> None: ...

class ListenRequest(_message.Message):
    __slots__ = ("synthesis_id", "first_sample")
    SYNTHESIS_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    FIRST_SAMPLE_FIELD_NUMBER: _ClassVar[int]
    synthesis_id: str
    first_sample: int
    def __init__(self, synthesis_id: _Optional[str] = ..., first_sample: _Optional[int] = ..., **kwargs) -> None: ...

class ListenResponse(_message.Message):
    __slots__ = ("started", "chunk", "finished")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    started: SpeechStarted
    chunk: SpeechChunk
    finished: SpeechFinished
    def __init__(self, started: _Optional[_Union[SpeechStarted, _Mapping]] = ..., chunk: _Optional[_Union[SpeechChunk, _Mapping]] = ..., finished: _Optional[_Union[SpeechFinished, _Mapping]] = ...) -> None: ...

class ListVoicesRequest(_message.Message):
    __slots__ = ("model",)
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: str
    def __init__(self, model: _Optional[str] = ...) -> None: ...

class ListVoicesResponse(_message.Message):
    __slots__ = ("voices",)
    VOICES_FIELD_NUMBER: _ClassVar[int]
    voices: _containers.RepeatedCompositeFieldContainer[ModelVoice]
    def __init__(self, voices: _Optional[_Iterable[_Union[ModelVoice, _Mapping]]] = ...) -> None: ...

class ModelVoice(_message.Message):
    __slots__ = ("model", "voice")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VOICE_FIELD_NUMBER: _ClassVar[int]
    model: str
    voice: _token_service_pb2.Voice
    def __init__(self, model: _Optional[str] = ..., voice: _Optional[_Union[_token_service_pb2.Voice, _Mapping]] = ...) -> None: ...
