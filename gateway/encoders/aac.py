"""AAC (LC, in ADTS frames) by vo-aacenc, which is the system's library: no package on PyPI carries it."""

import ctypes
import weakref
from functools import cache

from gateway.encoders.codec import Codec
from swara.errors import Broken, InvalidRequest
from swara.pcm import SAMPLE_BYTES

LIBRARY = "libvo-aacenc.so.0"
# From the library's headers voAAC.h, voAudio.h and cmnMemory.h.
SET_ENCODER_PARAMETERS = 0x42211040
FRAME_BYTES = SAMPLE_BYTES * 1024
# What the library insists on: AAC's longest frame, and as much again.
OUTPUT_BYTES = 2 * 6144 // 8
# 64 kbit/s at 24 kHz; in proportion below, and no more than speech can use above.
BITS_PER_SAMPLE = 8 / 3
MAX_BITS_PER_SECOND = 96_000
# The encoder's transform looks one frame ahead: the last samples come out with a frame of silence after them.
TAIL_FRAMES = 1

Function = ctypes.CFUNCTYPE
Pointer = ctypes.c_void_p
Status = ctypes.c_uint32


class _Functions(ctypes.Structure):
    """VO_AUDIO_CODECAPI."""

    _fields_ = (
        ("init", Function(Status, ctypes.POINTER(Pointer), ctypes.c_int, Pointer)),
        ("set_input", Function(Status, Pointer, Pointer)),
        ("get_output", Function(Status, Pointer, Pointer, Pointer)),
        ("set_parameter", Function(Status, Pointer, ctypes.c_int32, Pointer)),
        ("get_parameter", Function(Status, Pointer, ctypes.c_int32, Pointer)),
        ("uninit", Function(Status, Pointer)),
    )


class _Buffer(ctypes.Structure):
    """VO_CODECBUFFER."""

    _fields_ = (("data", Pointer), ("size_bytes", ctypes.c_uint32), ("time", ctypes.c_longlong))


class _OutputInfo(ctypes.Structure):
    """VO_AUDIO_OUTPUTINFO."""

    _fields_ = (("format", ctypes.c_int32 * 3), ("used_bytes", ctypes.c_uint32), ("reserved", ctypes.c_uint32))


class _Parameters(ctypes.Structure):
    """AACENC_PARAM."""

    _fields_ = (
        ("sample_rate_hz", ctypes.c_int),
        ("bits_per_second", ctypes.c_int),
        ("channels", ctypes.c_short),
        ("adts", ctypes.c_short),
    )


class _UserData(ctypes.Structure):
    """VO_CODEC_INIT_USERDATA: the library wants to be told to use its own allocator."""

    _fields_ = (("flag", ctypes.c_int32), ("memory", Pointer))


MEMORY_FUNCTIONS = (
    "cmnMemAlloc",
    "cmnMemFree",
    "cmnMemSet",
    "cmnMemCopy",
    "cmnMemCheck",
    "cmnMemCompare",
    "cmnMemMove",
)


class _Library:
    """The loaded library; raises OSError where there is none."""

    def __init__(self) -> None:
        library = ctypes.CDLL(LIBRARY)
        self.functions = _Functions()
        library.voGetAACEncAPI(ctypes.byref(self.functions))
        self._memory = (Pointer * len(MEMORY_FUNCTIONS))(
            *(ctypes.cast(getattr(library, name), Pointer).value for name in MEMORY_FUNCTIONS)
        )
        self.user_data = _UserData(0, ctypes.addressof(self._memory))


@cache
def _library() -> _Library:
    return _Library()


class AacCodec:
    """One stream of ADTS frames, 1024 samples each: a player may start at any of them."""

    head = b""

    def __init__(self, sample_rate_hz: int) -> None:
        self._library = _library()
        self._handle = Pointer()
        self._waiting = bytearray()
        self._input = ctypes.create_string_buffer(FRAME_BYTES)
        self._output = ctypes.create_string_buffer(OUTPUT_BYTES)
        functions = self._library.functions
        _check(functions.init(ctypes.byref(self._handle), 0, ctypes.byref(self._library.user_data)))
        weakref.finalize(self, functions.uninit, self._handle)
        bits_per_second = min(MAX_BITS_PER_SECOND, int(sample_rate_hz * BITS_PER_SAMPLE))
        parameters = _Parameters(sample_rate_hz, bits_per_second, channels=1, adts=1)
        _check(functions.set_parameter(self._handle, SET_ENCODER_PARAMETERS, ctypes.byref(parameters)))

    def encode(self, pcm: bytes) -> bytes:
        """The frames that this PCM has filled."""
        self._waiting += pcm
        frames = bytearray()
        while len(self._waiting) >= FRAME_BYTES:
            frames += self._frame(bytes(self._waiting[:FRAME_BYTES]))
            del self._waiting[:FRAME_BYTES]
        return bytes(frames)

    def finish(self) -> bytes:
        """The last frames, filled up with silence."""
        missing_bytes = -len(self._waiting) % FRAME_BYTES
        return self.encode(bytes(missing_bytes + TAIL_FRAMES * FRAME_BYTES))

    def _frame(self, pcm: bytes) -> bytes:
        functions = self._library.functions
        self._input.raw = pcm
        given = _Buffer(ctypes.cast(self._input, Pointer), len(pcm))
        taken = _Buffer(ctypes.cast(self._output, Pointer), OUTPUT_BYTES)
        _check(functions.set_input(self._handle, ctypes.byref(given)))
        _check(functions.get_output(self._handle, ctypes.byref(taken), ctypes.byref(_OutputInfo())))
        return self._output.raw[: taken.size_bytes]


def _check(status: int) -> None:
    if status:
        raise Broken(f"the AAC encoder failed with {status:#x}")


def open_aac(sample_rate_hz: int) -> Codec:
    """AAC frames."""
    return AacCodec(sample_rate_hz)


def check_aac() -> None:
    """Raises InvalidRequest where the library is not installed."""
    try:
        _library()
    except OSError:
        raise InvalidRequest(f"aac is not installed here: it needs {LIBRARY}, Debian's package libvo-aacenc0") from None
