"""What the frame loop drives: a model with places for streams, that speaks frames for several of them at once."""

from collections.abc import Sequence
from typing import Protocol

from swara.frames import Codes
from token_service.engines.native.stream import Stream

Spoken = list[tuple[Stream, Codes | None]]
"""Streams and their frames [1, 7]; None for one that ended or broke instead."""


class FrameModel(Protocol):
    """The weights and all streams' memory. `rows`: the most streams of one frame. `frames_ahead`: how many frames may
    be queued before the oldest is asked for, so that the device never waits for the host. `rehearsals`: numbers of
    streams worth a try before serving, the largest first.
    """

    rows: int
    rehearsals: tuple[int, ...]
    frames_ahead: int

    @property
    def frame_seconds(self) -> float:
        """How long the frames on their way will take, prompts before them included; 0 while that is not known."""

    @property
    def free_tokens(self) -> int:
        """Tokens for whose keys and values there is room that no stream has taken."""

    def take(self, tokens: int) -> int | None:
        """A place for a stream that will have at most so many tokens; None while there is no room."""

    def give_back(self, place: int) -> None:
        """Frees a place."""

    def join(self, stream: Stream) -> None:
        """Makes a stream known whose place has been taken."""

    def read(self, streams: Sequence[Stream]) -> None:
        """Reads some of what these streams have not read yet of their prompts; notes `cached_tokens`."""

    def queue(self, streams: Sequence[Stream]) -> None:
        """Asks for the next frame of up to `rows` streams that have read everything."""

    def spoken(self) -> Spoken:
        """The oldest frames asked for, when they are there. Streams that had ended before are left out."""
