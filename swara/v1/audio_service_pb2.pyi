from swara.v1 import codes_pb2 as _codes_pb2
from swara.v1 import token_service_pb2 as _token_service_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DecodeMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECODE_MODE_UNSPECIFIED: _ClassVar[DecodeMode]
    DECODE_MODE_EXACT: _ClassVar[DecodeMode]
    DECODE_MODE_EARLY: _ClassVar[DecodeMode]
    DECODE_MODE_REPORT: _ClassVar[DecodeMode]

class NoiseMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NOISE_MODE_UNSPECIFIED: _ClassVar[NoiseMode]
    NOISE_MODE_SEEDED: _ClassVar[NoiseMode]
    NOISE_MODE_OFF: _ClassVar[NoiseMode]
DECODE_MODE_UNSPECIFIED: DecodeMode
DECODE_MODE_EXACT: DecodeMode
DECODE_MODE_EARLY: DecodeMode
DECODE_MODE_REPORT: DecodeMode
NOISE_MODE_UNSPECIFIED: NoiseMode
NOISE_MODE_SEEDED: NoiseMode
NOISE_MODE_OFF: NoiseMode

class Decoding(_message.Message):
    __slots__ = ("mode", "noise")
    MODE_FIELD_NUMBER: _ClassVar[int]
    NOISE_FIELD_NUMBER: _ClassVar[int]
    mode: DecodeMode
    noise: NoiseMode
    def __init__(self, mode: _Optional[_Union[DecodeMode, str]] = ..., noise: _Optional[_Union[NoiseMode, str]] = ...) -> None: ...

class AudioServiceSynthesizeRequest(_message.Message):
    __slots__ = ("generate", "segment", "decoding", "first_sample")
    GENERATE_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    DECODING_FIELD_NUMBER: _ClassVar[int]
    FIRST_SAMPLE_FIELD_NUMBER: _ClassVar[int]
    generate: _token_service_pb2.GenerateRequest
    segment: int
    decoding: Decoding
    first_sample: int
    def __init__(self, generate: _Optional[_Union[_token_service_pb2.GenerateRequest, _Mapping]] = ..., segment: _Optional[int] = ..., decoding: _Optional[_Union[Decoding, _Mapping]] = ..., first_sample: _Optional[int] = ...) -> None: ...

class AudioServiceSynthesizeResponse(_message.Message):
    __slots__ = ("started", "chunk", "finished")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    started: AudioStarted
    chunk: AudioChunk
    finished: AudioFinished
    def __init__(self, started: _Optional[_Union[AudioStarted, _Mapping]] = ..., chunk: _Optional[_Union[AudioChunk, _Mapping]] = ..., finished: _Optional[_Union[AudioFinished, _Mapping]] = ...) -> None: ...

class AudioStarted(_message.Message):
    __slots__ = ("generation", "sample_rate_hz", "lookahead_samples")
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_HZ_FIELD_NUMBER: _ClassVar[int]
    LOOKAHEAD_SAMPLES_FIELD_NUMBER: _ClassVar[int]
    generation: _token_service_pb2.GenerationStarted
    sample_rate_hz: int
    lookahead_samples: int
    def __init__(self, generation: _Optional[_Union[_token_service_pb2.GenerationStarted, _Mapping]] = ..., sample_rate_hz: _Optional[int] = ..., lookahead_samples: _Optional[int] = ...) -> None: ...

class AudioChunk(_message.Message):
    __slots__ = ("segment", "first_sample", "pcm", "frames")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    FIRST_SAMPLE_FIELD_NUMBER: _ClassVar[int]
    PCM_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    segment: int
    first_sample: int
    pcm: bytes
    frames: _codes_pb2.Frames
    def __init__(self, segment: _Optional[int] = ..., first_sample: _Optional[int] = ..., pcm: _Optional[bytes] = ..., frames: _Optional[_Union[_codes_pb2.Frames, _Mapping]] = ...) -> None: ...

class AudioFinished(_message.Message):
    __slots__ = ("generation", "samples", "codec_seconds")
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    CODEC_SECONDS_FIELD_NUMBER: _ClassVar[int]
    generation: _token_service_pb2.GenerationFinished
    samples: int
    codec_seconds: float
    def __init__(self, generation: _Optional[_Union[_token_service_pb2.GenerationFinished, _Mapping]] = ..., samples: _Optional[int] = ..., codec_seconds: _Optional[float] = ...) -> None: ...

class DecodeRequest(_message.Message):
    __slots__ = ("configuration", "frames")
    CONFIGURATION_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    configuration: DecodeConfiguration
    frames: _codes_pb2.Frames
    def __init__(self, configuration: _Optional[_Union[DecodeConfiguration, _Mapping]] = ..., frames: _Optional[_Union[_codes_pb2.Frames, _Mapping]] = ...) -> None: ...

class DecodeConfiguration(_message.Message):
    __slots__ = ("request_id", "seed", "decoding", "first_sample")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    DECODING_FIELD_NUMBER: _ClassVar[int]
    FIRST_SAMPLE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    seed: int
    decoding: Decoding
    first_sample: int
    def __init__(self, request_id: _Optional[str] = ..., seed: _Optional[int] = ..., decoding: _Optional[_Union[Decoding, _Mapping]] = ..., first_sample: _Optional[int] = ...) -> None: ...

class DecodeResponse(_message.Message):
    __slots__ = ("first_sample", "pcm")
    FIRST_SAMPLE_FIELD_NUMBER: _ClassVar[int]
    PCM_FIELD_NUMBER: _ClassVar[int]
    first_sample: int
    pcm: bytes
    def __init__(self, first_sample: _Optional[int] = ..., pcm: _Optional[bytes] = ...) -> None: ...

class AudioServiceGetModelRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AudioServiceGetModelResponse(_message.Message):
    __slots__ = ("model", "codec_fingerprint")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    CODEC_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    model: _token_service_pb2.Model
    codec_fingerprint: str
    def __init__(self, model: _Optional[_Union[_token_service_pb2.Model, _Mapping]] = ..., codec_fingerprint: _Optional[str] = ...) -> None: ...

class AudioServiceGetLoadRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AudioServiceGetLoadResponse(_message.Message):
    __slots__ = ("audio", "token")
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    audio: _token_service_pb2.Load
    token: _token_service_pb2.Load
    def __init__(self, audio: _Optional[_Union[_token_service_pb2.Load, _Mapping]] = ..., token: _Optional[_Union[_token_service_pb2.Load, _Mapping]] = ...) -> None: ...
