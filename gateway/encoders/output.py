"""What a listener wants to get: a format, a sample rate, a speed. A plain value: equal ones may share an Encoder."""

from dataclasses import dataclass

from gateway.encoders.encoder import Encoder
from gateway.encoders.formats import FORMATS, Format
from gateway.encoders.stages import Resample, Speed, Stage
from gateway.request import BadField

MIN_SPEED = 0.25
MAX_SPEED = 4.0


@dataclass(frozen=True)
class Output:
    """One form of a stream; without a sample rate it is the model's own where the format has it."""

    format: str = "mp3"
    sample_rate_hz: int | None = None
    speed: float = 1.0

    def checked(self) -> "Output":
        """Itself; raises BadField with OpenAI's name of the field, or InvalidRequest where a library is missing."""
        if self.format not in FORMATS:
            raise BadField("response_format", f"response_format must be one of {', '.join(FORMATS)}")
        rates_hz = self._format.rates_hz
        if self.sample_rate_hz is not None and self.sample_rate_hz not in rates_hz:
            listed = ", ".join(map(str, rates_hz))
            raise BadField("sample_rate", f"sample_rate of {self.format} must be one of {listed}")
        if not MIN_SPEED <= self.speed <= MAX_SPEED:
            raise BadField("speed", f"speed must be between {MIN_SPEED:g} and {MAX_SPEED:g}, got {self.speed:g}")
        self._format.check()
        return self

    @property
    def content_type(self) -> str:
        """What it is called over HTTP."""
        return self._format.content_type

    def rate_hz(self, source_rate_hz: int) -> int:
        """The sample rate that comes out of PCM of that rate."""
        return self.sample_rate_hz or self._format.rate_hz(source_rate_hz)

    def open(self, source_rate_hz: int) -> Encoder:
        """A new stream from PCM of that rate, once checked."""
        rate_hz = self.rate_hz(source_rate_hz)
        stages: list[Stage] = []
        if self.speed != 1.0:
            stages.append(Speed(source_rate_hz, self.speed))
        if rate_hz != source_rate_hz:
            stages.append(Resample(source_rate_hz, rate_hz))
        return Encoder(self.content_type, rate_hz, stages, self._format.open_codec(rate_hz))

    @property
    def can_be_joined(self) -> bool:
        """Whether a running stream of it has a tail for who comes later; at another speed no time of it is exact."""
        return self.format == "opus" and self.speed == 1.0

    @property
    def _format(self) -> Format:
        return FORMATS[self.format]
