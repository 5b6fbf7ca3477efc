"""What comes out of the encoders, heard by a decoder that is none of theirs: ffmpeg."""

import subprocess

import numpy as np
from numpy.typing import NDArray

from gateway.encoders import Encoder
from swara.pcm import Samples, from_bytes

RATE_HZ = 24_000
LOSSLESS = ("flac", "wav", "pcm")
LOSSY = ("mp3", "opus", "aac")
TELEPHONE = ("mulaw", "alaw")
# How ffmpeg calls them; what has a header tells its rate by itself.
CONTAINERS = {"mp3": "mp3", "opus": "ogg", "aac": "aac", "flac": "flac", "wav": "wav"}
DEMUXERS = {**CONTAINERS, "pcm": "s16le", "mulaw": "mulaw", "alaw": "alaw"}


def decoded(name: str, data: bytes, rate_hz: int = RATE_HZ) -> Samples:
    """The samples in `data`, at `rate_hz`; none where there is nothing to hear in it."""
    form = ["-f", DEMUXERS[name]]
    if name not in CONTAINERS:
        form += ["-ar", str(8_000 if name in TELEPHONE else rate_hz), "-ac", "1"]
    command = ["ffmpeg", "-v", "quiet", *form, "-i", "-", "-f", "s16le", "-ac", "1", "-ar", str(rate_hz), "-"]
    return from_bytes(subprocess.run(command, input=data, capture_output=True, check=False).stdout)


def encoded(encoder: Encoder, pcm: bytes, step_samples: int = 2048) -> bytes:
    """All the bytes that an encoder makes of PCM that comes in steps."""
    pieces = [encoder.encode(pcm[start : start + 2 * step_samples]) for start in range(0, len(pcm), 2 * step_samples)]
    return b"".join(pieces) + encoder.finish()


def voice(seconds: float, seed: int = 0) -> bytes:
    """PCM like a voice: harmonics of a wandering pitch, syllables that swell and fade, a breath of noise."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    phase = 2 * np.pi * np.cumsum(140 + 30 * np.sin(2 * np.pi * 1.3 * t)) / RATE_HZ
    tone = sum(np.sin(k * phase) / k**1.3 for k in range(1, 16))
    breath = 0.03 * np.random.default_rng(seed).standard_normal(len(t))
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 3.1 * t)
    return (3500 * swell * (tone + breath)).astype("<i2").tobytes()


def sine(frequency_hz: float, seconds: float) -> bytes:
    """PCM of one frequency."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (9000 * np.sin(2 * np.pi * frequency_hz * t)).astype("<i2").tobytes()


def pitch_hz(samples: Samples, rate_hz: int) -> float:
    """The strongest frequency."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 1 << 20))
    return float(np.argmax(spectrum)) * rate_hz / (1 << 20)


def delay_samples(original: Samples, heard: Samples) -> int:
    """How much later `heard` is, where they are most alike."""
    size = 1 << (len(original) + len(heard)).bit_length()
    likeness = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(original, size)), size)
    return (int(np.argmax(likeness)) + size // 2) % size - size // 2


def aligned(original: Samples, heard: Samples) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both without what only one of them has."""
    delay = delay_samples(original, heard)
    one, other = original[max(0, -delay) :], heard[max(0, delay) :]
    size = min(len(one), len(other))
    return one[:size].astype(np.float64), other[:size].astype(np.float64)


def likeness(original: Samples, heard: Samples) -> float:
    """Their correlation once aligned; 1 is the same but for loudness."""
    one, other = aligned(original, heard)
    return float(np.corrcoef(one, other)[0, 1])


def noise_ratio_db(original: Samples, heard: Samples) -> float:
    """Signal to noise once aligned."""
    one, other = aligned(original, heard)
    return float(10 * np.log10(np.sum(one**2) / np.sum((one - other) ** 2)))
