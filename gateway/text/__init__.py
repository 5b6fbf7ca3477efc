"""A text as it comes becomes segments, each one prompt: `Segmenter` for a text that is still being written."""

from gateway.text.segmenter import SHORT_CHARACTERS, Segmenter, segments

__all__ = ["SHORT_CHARACTERS", "Segmenter", "segments"]
