"""What a format's own class does; and the two formats that need nothing done."""

from typing import Protocol

from swara.pcm import wav_header


class Codec(Protocol):
    """The state of one stream in one format.

    `head` comes before the first audio, empty where the format has none; it is known once `encode` has returned bytes.
    """

    head: bytes

    def encode(self, pcm: bytes) -> bytes:
        """What is ready after this PCM; empty while a block of the format is not full."""

    def finish(self) -> bytes:
        """The rest; nothing may be encoded afterwards."""


class Plain:
    """PCM as it is, after a head or none."""

    def __init__(self, head: bytes = b"") -> None:
        self.head = head

    def encode(self, pcm: bytes) -> bytes:
        """The same bytes."""
        return pcm

    def finish(self) -> bytes:
        """Nothing is left."""
        return b""


def open_pcm(sample_rate_hz: int) -> Codec:
    """Bare samples."""
    return Plain()


def open_wav(sample_rate_hz: int) -> Codec:
    """Samples after a header that leaves the length open."""
    return Plain(wav_header(sample_rate_hz))
