"""What may happen to samples before a format has them: another speed, another sample rate."""

from typing import Protocol

import libsonic
import numpy as np
import soxr
from numpy.typing import NDArray

Audio = NDArray[np.float32]
"""Samples in -1..1, shape [T]."""

# Sonic's output depends on how its input is cut, so it is always cut alike.
SPEED_BLOCK_SECONDS = 0.010
# soxr holds back what its filter and blocks need. MQ keeps 95 % of the band and holds back 39 ms at 16 kHz and above;
# at telephone rates it would be 75 ms, so LQ there: 80 % of the band (3.2 kHz of 4) for 40 ms.
QUALITY = "MQ"
LOW_RATE_QUALITY = "LQ"
LOW_RATE_HZ = 12_000


class Stage(Protocol):
    """A step with state."""

    def feed(self, audio: Audio) -> Audio:
        """What is ready after this audio."""

    def finish(self) -> Audio:
        """The rest."""


class Resample:
    """From one sample rate to another."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        quality = LOW_RATE_QUALITY if to_hz <= LOW_RATE_HZ else QUALITY
        self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality=quality)

    def feed(self, audio: Audio) -> Audio:
        """The samples that the filter lets go."""
        resampled: Audio = self._stream.resample_chunk(audio)
        return resampled

    def finish(self) -> Audio:
        """The samples still in the filter."""
        resampled: Audio = self._stream.resample_chunk(np.empty(0, np.float32), last=True)
        return resampled


class Speed:
    """Faster or slower speech of the same pitch: whole pitch periods are left out or repeated."""

    def __init__(self, sample_rate_hz: int, speed: float) -> None:
        self._sonic = libsonic.SonicStream(sample_rate_hz, 1)
        self._sonic.set_speed(speed)
        self._block_samples = int(sample_rate_hz * SPEED_BLOCK_SECONDS)
        self._waiting = np.empty(0, np.float32)

    def feed(self, audio: Audio) -> Audio:
        """The speech that is ready."""
        self._waiting = np.concatenate([self._waiting, audio])
        whole = len(self._waiting) // self._block_samples * self._block_samples
        for start in range(0, whole, self._block_samples):
            self._sonic.write(self._waiting[start : start + self._block_samples])
        self._waiting = self._waiting[whole:]
        return self._ready()

    def finish(self) -> Audio:
        """The speech that was waiting for more."""
        self._sonic.write(self._waiting)
        self._sonic.flush()
        return self._ready()

    def _ready(self) -> Audio:
        return np.array(self._sonic.read(self._sonic.available_frames()), np.float32)
