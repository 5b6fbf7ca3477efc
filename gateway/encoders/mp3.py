"""MP3 by LAME, constant bit rate: a player may start at any frame."""

import lameenc

from gateway.encoders.codec import Codec

# LAME's own choice for mono speech; at up to 24 kHz half of it says as much.
KILOBITS = 96
LOW_RATE_KILOBITS = 64
LOW_RATE_HZ = 24_000
# 0 is the slowest, 9 the fastest; at these bit rates better than 5 cannot be told from it.
QUALITY = 5


class Mp3Codec:
    """One stream of MPEG frames, 576 samples each up to 24 kHz and 1152 above."""

    head = b""

    def __init__(self, sample_rate_hz: int) -> None:
        self._lame = lameenc.Encoder()
        self._lame.set_bit_rate(LOW_RATE_KILOBITS if sample_rate_hz <= LOW_RATE_HZ else KILOBITS)
        self._lame.set_in_sample_rate(sample_rate_hz)
        self._lame.set_out_sample_rate(sample_rate_hz)
        self._lame.set_channels(1)
        self._lame.set_quality(QUALITY)
        self._lame.silence()
        self._begun = False

    def encode(self, pcm: bytes) -> bytes:
        """The frames that this PCM has filled."""
        self._begun = self._begun or bool(pcm)
        return bytes(self._lame.encode(pcm)) if pcm else b""

    def finish(self) -> bytes:
        """The last frames."""
        return bytes(self._lame.flush()) if self._begun else b""


def open_mp3(sample_rate_hz: int) -> Codec:
    """MP3 frames."""
    return Mp3Codec(sample_rate_hz)
