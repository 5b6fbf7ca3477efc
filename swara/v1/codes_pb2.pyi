from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Frames(_message.Message):
    __slots__ = ("first_frame", "codes")
    FIRST_FRAME_FIELD_NUMBER: _ClassVar[int]
    CODES_FIELD_NUMBER: _ClassVar[int]
    first_frame: int
    codes: bytes
    def __init__(self, first_frame: _Optional[int] = ..., codes: _Optional[bytes] = ...) -> None: ...
