"""The guard against speech that has fallen silent: a model that goes on for ever saying nothing."""

from collections.abc import AsyncIterator, Callable

import numpy as np

from audio_service.synthesis import Frames
from audio_service.token_client import Generation
from swara.frames import SAMPLE_RATE_HZ
from swara.pcm import Samples, rms_dbfs
from swara.player import AUDIBLE_DBFS

# A pause between two paragraphs is one second, a held breath two; nobody who still listens waits for four.
LONGEST_SILENCE_SECONDS = 4.0
# PCM is judged in pieces of this length, long enough that a single click does not count as speech.
WINDOW_SAMPLES = SAMPLE_RATE_HZ // 20


class SilenceGuard:
    """Sees when a stream has been inaudible for too long; one for each stream."""

    def __init__(self) -> None:
        self._unjudged = np.empty(0, np.int16)
        self._silent_samples = 0

    @property
    def fell_silent(self) -> bool:
        """Whether the last LONGEST_SILENCE_SECONDS were all inaudible."""
        return self._silent_samples >= LONGEST_SILENCE_SECONDS * SAMPLE_RATE_HZ

    def hear(self, samples: Samples) -> None:
        """Takes the next samples [T]."""
        waiting = np.concatenate([self._unjudged, samples])
        judged = len(waiting) // WINDOW_SAMPLES * WINDOW_SAMPLES
        for window in waiting[:judged].reshape(-1, WINDOW_SAMPLES):
            self._silent_samples = 0 if rms_dbfs(window) > AUDIBLE_DBFS else self._silent_samples + WINDOW_SAMPLES
        self._unjudged = waiting[judged:]


async def until_silence(
    generation: Generation, guard: SilenceGuard, fell_silent: Callable[[], None]
) -> AsyncIterator[Frames]:
    """The generation's frames, cut short where what they sound like has fallen silent for too long.

    `fell_silent` hears of it.
    """
    async for frames in generation.blocks():
        yield frames
        if guard.fell_silent:
            generation.cut_short()
            fell_silent()
            return
