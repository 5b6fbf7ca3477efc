"""Sampling parameters."""

from typing import Any

from .contract import FromContract


class SamplingParams(FromContract):
    """Refuses what the real one refuses."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        if self.repetition_penalty is not None and self.repetition_penalty <= 0:
            raise ValueError("repetition_penalty must be > 0")
        if self.end_id is None:
            raise ValueError("end_id must be given where there is no tokenizer")
