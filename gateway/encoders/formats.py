"""The formats by name: what they are called on the wire, which sample rates they have, who encodes them."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.encoders.aac import check_aac, open_aac
from gateway.encoders.codec import Codec, open_pcm, open_wav
from gateway.encoders.mp3 import open_mp3
from gateway.encoders.sndfile import open_alaw, open_flac, open_mulaw, open_opus

MPEG_RATES_HZ = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
OPUS_RATES_HZ = (8_000, 12_000, 16_000, 24_000, 48_000)
TELEPHONE_RATES_HZ = (8_000,)


@dataclass(frozen=True)
class Format:
    """One format; `open_codec` takes the sample rate in Hz, `check` raises InvalidRequest without its library."""

    content_type: str
    rates_hz: tuple[int, ...]
    open_codec: Callable[[int], Codec]
    check: Callable[[], None] = lambda: None

    def rate_hz(self, source_rate_hz: int) -> int:
        """The rate nobody asked for: the source's where the format has it, else the next one up, else its highest."""
        return next((rate_hz for rate_hz in self.rates_hz if rate_hz >= source_rate_hz), self.rates_hz[-1])


FORMATS: dict[str, Format] = {
    "mp3": Format("audio/mpeg", MPEG_RATES_HZ, open_mp3),
    "opus": Format("audio/ogg", OPUS_RATES_HZ, open_opus),
    "aac": Format("audio/aac", MPEG_RATES_HZ, open_aac, check_aac),
    "flac": Format("audio/flac", MPEG_RATES_HZ, open_flac),
    "wav": Format("audio/wav", MPEG_RATES_HZ, open_wav),
    "pcm": Format("audio/pcm", MPEG_RATES_HZ, open_pcm),
    "mulaw": Format("audio/basic", TELEPHONE_RATES_HZ, open_mulaw),
    "alaw": Format("audio/x-alaw-basic", TELEPHONE_RATES_HZ, open_alaw),
}
