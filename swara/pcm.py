"""PCM: s16le, mono. Conversion, loudness, WAV headers."""

import struct

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
"""PCM samples, shape [T]."""

FULL_SCALE = 32767.0
SAMPLE_BYTES = 2
# What sox writes into a pipe: it and its like then read to the end without a warning, and it is positive where a reader
# takes 32 bits as signed. At 24 kHz it is 12 hours.
UNKNOWN_LENGTH_BYTES = 0x7FFFF000


def from_float(audio: NDArray[np.float32]) -> Samples:
    """Audio in -1..1, shape [T], as samples: rounded to nearest, clipped at full scale."""
    scaled = np.rint(audio.astype(np.float32, copy=False) * np.float32(FULL_SCALE))
    samples: Samples = np.clip(scaled, -32768, 32767).astype(np.int16)
    return samples


def to_bytes(samples: Samples) -> bytes:
    """Samples as little-endian bytes, two a sample."""
    return samples.astype("<i2", copy=False).tobytes()


def from_bytes(data: bytes) -> Samples:
    """Little-endian bytes as samples; raises ValueError for an odd length."""
    return np.frombuffer(data, "<i2").astype(np.int16, copy=False)


def rms_dbfs(samples: Samples) -> float:
    """Root mean square of the samples in dB below full scale; -inf for silence or no samples."""
    if not len(samples):
        return -np.inf
    power = float(np.mean(np.square(samples.astype(np.float64) / FULL_SCALE)))
    return 10 * np.log10(power) if power > 0 else -np.inf


def wav_header(sample_rate_hz: int, data_bytes: int | None = None) -> bytes:
    """A 44-byte WAV header; `None` is for a stream whose length nobody knows yet."""
    size = UNKNOWN_LENGTH_BYTES if data_bytes is None else data_bytes
    riff = struct.pack("<4sI4s", b"RIFF", size + 36, b"WAVE")
    form = struct.pack(
        "<4sIHHIIHH", b"fmt ", 16, 1, 1, sample_rate_hz, SAMPLE_BYTES * sample_rate_hz, SAMPLE_BYTES, 8 * SAMPLE_BYTES
    )
    return riff + form + struct.pack("<4sI", b"data", size)
