"""FLAC, Ogg Opus and G.711 by libsndfile, which writes to a file of ours in memory."""

from typing import Any

import soundfile

from gateway.encoders.codec import Codec
from swara.pcm import SAMPLE_BYTES

# 60 ms: three Opus packets a page, the least that libsndfile's 50 ms allow. Its default is a page a second.
OGG_PAGE_MILLISECONDS = 50.0
SET_OGG_PAGE_LATENCY = 0x1302
# Up to a quarter, FLAC's blocks have 1152 samples, above that 4096: 48 ms at 24 kHz and not 171 ms.
FLAC_LEVEL = 0.25


class SndfileCodec:
    """One stream in one of libsndfile's formats."""

    def __init__(self, sample_rate_hz: int, **form: Any) -> None:
        self.head = b""
        self._sink = _Sink()
        self._file = soundfile.SoundFile(self._sink, "w", sample_rate_hz, channels=1, **form)
        self._begun = False

    def encode(self, pcm: bytes) -> bytes:
        """The blocks or pages that this PCM has filled."""
        if not self._begun and pcm:
            self._begun = True
            # Headers are written with the first sample, which alone fills no block.
            self._file.buffer_write(pcm[:SAMPLE_BYTES], "int16")
            self.head = self._sink.take()
            pcm = pcm[SAMPLE_BYTES:]
        self._file.buffer_write(pcm, "int16")
        return self._sink.take()

    def finish(self) -> bytes:
        """The last block; headers that libsndfile would now correct stay as they are, for they have been sent."""
        self._file.close()
        return self._sink.take()

    def command(self, number: int, milliseconds: float) -> None:
        """One of libsndfile's commands that takes a number; soundfile has no public way to it."""
        value = soundfile._ffi.new("double *", milliseconds)
        soundfile._snd.sf_command(self._file._file, number, value, soundfile._ffi.sizeof("double"))


class G711Codec(SndfileCodec):
    """One stream of µ-law or A-law bytes: no head, a byte a sample."""

    def encode(self, pcm: bytes) -> bytes:
        """A byte for each sample."""
        self._file.buffer_write(pcm, "int16")
        return self._sink.take()


class _Sink:
    """A file that only grows: what is written again at an earlier place is dropped, its listener has it already."""

    def __init__(self) -> None:
        self._fresh = bytearray()
        self._size_bytes = 0
        self._place_bytes = 0

    def take(self) -> bytes:
        taken = bytes(self._fresh)
        self._fresh.clear()
        return taken

    def write(self, data: bytes) -> int:
        if self._place_bytes == self._size_bytes:
            self._fresh += data
            self._size_bytes += len(data)
        self._place_bytes += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._place_bytes = offset + (0, self._place_bytes, self._size_bytes)[whence]
        return self._place_bytes

    def tell(self) -> int:
        return self._place_bytes


def open_flac(sample_rate_hz: int) -> Codec:
    """FLAC whose length nobody knows yet."""
    return SndfileCodec(sample_rate_hz, format="FLAC", subtype="PCM_16", compression_level=FLAC_LEVEL)


def open_opus(sample_rate_hz: int) -> Codec:
    """Opus in Ogg pages, about 40 kbit/s at 24 kHz."""
    codec = SndfileCodec(sample_rate_hz, format="OGG", subtype="OPUS")
    codec.command(SET_OGG_PAGE_LATENCY, OGG_PAGE_MILLISECONDS)
    return codec


def open_mulaw(sample_rate_hz: int) -> Codec:
    """G.711 µ-law without a header."""
    return G711Codec(sample_rate_hz, format="RAW", subtype="ULAW")


def open_alaw(sample_rate_hz: int) -> Codec:
    """G.711 A-law without a header."""
    return G711Codec(sample_rate_hz, format="RAW", subtype="ALAW")
