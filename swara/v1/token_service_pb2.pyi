from swara.v1 import codes_pb2 as _codes_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AdmissionClass(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ADMISSION_CLASS_UNSPECIFIED: _ClassVar[AdmissionClass]
    ADMISSION_CLASS_NEW: _ClassVar[AdmissionClass]
    ADMISSION_CLASS_CONTINUING: _ClassVar[AdmissionClass]
    ADMISSION_CLASS_RESUMED: _ClassVar[AdmissionClass]

class Priority(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRIORITY_UNSPECIFIED: _ClassVar[Priority]
    PRIORITY_INTERACTIVE: _ClassVar[Priority]
    PRIORITY_BATCH: _ClassVar[Priority]

class FinishReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FINISH_REASON_UNSPECIFIED: _ClassVar[FinishReason]
    FINISH_REASON_END_OF_SPEECH: _ClassVar[FinishReason]
    FINISH_REASON_MAX_FRAMES: _ClassVar[FinishReason]
    FINISH_REASON_RUNAWAY: _ClassVar[FinishReason]
    FINISH_REASON_CANCELLED: _ClassVar[FinishReason]
ADMISSION_CLASS_UNSPECIFIED: AdmissionClass
ADMISSION_CLASS_NEW: AdmissionClass
ADMISSION_CLASS_CONTINUING: AdmissionClass
ADMISSION_CLASS_RESUMED: AdmissionClass
PRIORITY_UNSPECIFIED: Priority
PRIORITY_INTERACTIVE: Priority
PRIORITY_BATCH: Priority
FINISH_REASON_UNSPECIFIED: FinishReason
FINISH_REASON_END_OF_SPEECH: FinishReason
FINISH_REASON_MAX_FRAMES: FinishReason
FINISH_REASON_RUNAWAY: FinishReason
FINISH_REASON_CANCELLED: FinishReason

class Sampling(_message.Message):
    __slots__ = ("temperature", "top_k", "top_p", "repetition_penalty")
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    TOP_P_FIELD_NUMBER: _ClassVar[int]
    REPETITION_PENALTY_FIELD_NUMBER: _ClassVar[int]
    temperature: float
    top_k: int
    top_p: float
    repetition_penalty: float
    def __init__(self, temperature: _Optional[float] = ..., top_k: _Optional[int] = ..., top_p: _Optional[float] = ..., repetition_penalty: _Optional[float] = ...) -> None: ...

class FrameLimits(_message.Message):
    __slots__ = ("min_frames", "max_frames", "ignore_end")
    MIN_FRAMES_FIELD_NUMBER: _ClassVar[int]
    MAX_FRAMES_FIELD_NUMBER: _ClassVar[int]
    IGNORE_END_FIELD_NUMBER: _ClassVar[int]
    min_frames: int
    max_frames: int
    ignore_end: bool
    def __init__(self, min_frames: _Optional[int] = ..., max_frames: _Optional[int] = ..., ignore_end: _Optional[bool] = ...) -> None: ...

class GenerateRequest(_message.Message):
    __slots__ = ("request_id", "text", "voice", "sampling", "seed", "admission_class", "limits", "resume_frames", "priority", "max_lead_seconds")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    VOICE_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    ADMISSION_CLASS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    RESUME_FRAMES_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    MAX_LEAD_SECONDS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    text: str
    voice: str
    sampling: Sampling
    seed: int
    admission_class: AdmissionClass
    limits: FrameLimits
    resume_frames: _codes_pb2.Frames
    priority: Priority
    max_lead_seconds: float
    def __init__(self, request_id: _Optional[str] = ..., text: _Optional[str] = ..., voice: _Optional[str] = ..., sampling: _Optional[_Union[Sampling, _Mapping]] = ..., seed: _Optional[int] = ..., admission_class: _Optional[_Union[AdmissionClass, str]] = ..., limits: _Optional[_Union[FrameLimits, _Mapping]] = ..., resume_frames: _Optional[_Union[_codes_pb2.Frames, _Mapping]] = ..., priority: _Optional[_Union[Priority, str]] = ..., max_lead_seconds: _Optional[float] = ...) -> None: ...

class GenerateResponse(_message.Message):
    __slots__ = ("started", "frames", "finished")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    started: GenerationStarted
    frames: _codes_pb2.Frames
    finished: GenerationFinished
    def __init__(self, started: _Optional[_Union[GenerationStarted, _Mapping]] = ..., frames: _Optional[_Union[_codes_pb2.Frames, _Mapping]] = ..., finished: _Optional[_Union[GenerationFinished, _Mapping]] = ...) -> None: ...

class GenerationStarted(_message.Message):
    __slots__ = ("model_fingerprint", "prompt_tokens", "sampling", "max_frames", "voice")
    MODEL_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_FIELD_NUMBER: _ClassVar[int]
    MAX_FRAMES_FIELD_NUMBER: _ClassVar[int]
    VOICE_FIELD_NUMBER: _ClassVar[int]
    model_fingerprint: str
    prompt_tokens: int
    sampling: Sampling
    max_frames: int
    voice: str
    def __init__(self, model_fingerprint: _Optional[str] = ..., prompt_tokens: _Optional[int] = ..., sampling: _Optional[_Union[Sampling, _Mapping]] = ..., max_frames: _Optional[int] = ..., voice: _Optional[str] = ...) -> None: ...

class GenerationFinished(_message.Message):
    __slots__ = ("reason", "frames", "queue_seconds", "prefill_seconds", "decode_seconds")
    REASON_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    QUEUE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    PREFILL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DECODE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    reason: FinishReason
    frames: int
    queue_seconds: float
    prefill_seconds: float
    decode_seconds: float
    def __init__(self, reason: _Optional[_Union[FinishReason, str]] = ..., frames: _Optional[int] = ..., queue_seconds: _Optional[float] = ..., prefill_seconds: _Optional[float] = ..., decode_seconds: _Optional[float] = ...) -> None: ...

class GetModelRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetModelResponse(_message.Message):
    __slots__ = ("model",)
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: Model
    def __init__(self, model: _Optional[_Union[Model, _Mapping]] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("name", "fingerprint", "voices", "languages", "slots", "codebook_size", "sample_rate_hz", "samples_per_frame", "max_text_characters", "sampling", "engine", "deterministic", "can_pause", "scripts", "emotion_tags")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    VOICES_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    CODEBOOK_SIZE_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_HZ_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_PER_FRAME_FIELD_NUMBER: _ClassVar[int]
    MAX_TEXT_CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    DETERMINISTIC_FIELD_NUMBER: _ClassVar[int]
    CAN_PAUSE_FIELD_NUMBER: _ClassVar[int]
    SCRIPTS_FIELD_NUMBER: _ClassVar[int]
    EMOTION_TAGS_FIELD_NUMBER: _ClassVar[int]
    name: str
    fingerprint: str
    voices: _containers.RepeatedCompositeFieldContainer[Voice]
    languages: _containers.RepeatedScalarFieldContainer[str]
    slots: int
    codebook_size: int
    sample_rate_hz: int
    samples_per_frame: int
    max_text_characters: int
    sampling: Sampling
    engine: str
    deterministic: bool
    can_pause: bool
    scripts: _containers.RepeatedScalarFieldContainer[str]
    emotion_tags: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., fingerprint: _Optional[str] = ..., voices: _Optional[_Iterable[_Union[Voice, _Mapping]]] = ..., languages: _Optional[_Iterable[str]] = ..., slots: _Optional[int] = ..., codebook_size: _Optional[int] = ..., sample_rate_hz: _Optional[int] = ..., samples_per_frame: _Optional[int] = ..., max_text_characters: _Optional[int] = ..., sampling: _Optional[_Union[Sampling, _Mapping]] = ..., engine: _Optional[str] = ..., deterministic: _Optional[bool] = ..., can_pause: _Optional[bool] = ..., scripts: _Optional[_Iterable[str]] = ..., emotion_tags: _Optional[_Iterable[str]] = ...) -> None: ...

class Voice(_message.Message):
    __slots__ = ("name", "language", "description", "scripts")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    SCRIPTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    language: str
    description: str
    scripts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., language: _Optional[str] = ..., description: _Optional[str] = ..., scripts: _Optional[_Iterable[str]] = ...) -> None: ...

class GetLoadRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetLoadResponse(_message.Message):
    __slots__ = ("load",)
    LOAD_FIELD_NUMBER: _ClassVar[int]
    load: Load
    def __init__(self, load: _Optional[_Union[Load, _Mapping]] = ...) -> None: ...

class Load(_message.Message):
    __slots__ = ("running_streams", "queued_streams", "paused_streams", "capacity_streams", "slack_seconds", "draining")
    RUNNING_STREAMS_FIELD_NUMBER: _ClassVar[int]
    QUEUED_STREAMS_FIELD_NUMBER: _ClassVar[int]
    PAUSED_STREAMS_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_STREAMS_FIELD_NUMBER: _ClassVar[int]
    SLACK_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    running_streams: int
    queued_streams: int
    paused_streams: int
    capacity_streams: int
    slack_seconds: float
    draining: bool
    def __init__(self, running_streams: _Optional[int] = ..., queued_streams: _Optional[int] = ..., paused_streams: _Optional[int] = ..., capacity_streams: _Optional[int] = ..., slack_seconds: _Optional[float] = ..., draining: _Optional[bool] = ...) -> None: ...
