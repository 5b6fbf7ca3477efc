"""A text as it comes becomes segments, each one prompt: `Segmenter` for a text that is still being written.

What is written and what is said are two things: a `Reader` turns one into the other.
"""

from gateway.text.reader import Reader, Style
from gateway.text.segmenter import SHORT_CHARACTERS, Segmenter, segments

__all__ = ["SHORT_CHARACTERS", "Reader", "Segmenter", "Style", "segments"]
