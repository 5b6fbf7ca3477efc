"""What a request for speech says, as plain values: who speaks, how tokens are drawn, how long it may become."""

from dataclasses import dataclass, replace
from enum import Enum

from swara.errors import InvalidRequest

MAX_SEED = 2**64 - 1
# About a millionth. The contract carries it as a 32-bit float, so the limit is one that such a float can be: what the
# gateway lets pass must not be rounded to something that the token service refuses.
MIN_TOP_P = 2.0**-20
# As many codes as a codebook may have: more would choose among no more of them.
MAX_TOP_K = 65_536


class AdmissionClass(Enum):
    """Which work may be refused when a service is full: only `NEW` ever is."""

    NEW = "new"
    CONTINUING = "continuing"
    RESUMED = "resumed"


class Priority(Enum):
    """Which work goes first when there is more of it than the hardware can do at once."""

    INTERACTIVE = "interactive"
    BATCH = "batch"


class FinishReason(Enum):
    """Why a generation ended."""

    END_OF_SPEECH = "end_of_speech"
    MAX_FRAMES = "max_frames"
    RUNAWAY = "runaway"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn; None takes the profile's default."""

    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    repetition_penalty: float | None = None

    def with_defaults(self, defaults: "Sampling") -> "Sampling":
        """These values, and the defaults where there is none."""
        return replace(defaults, **{name: value for name, value in vars(self).items() if value is not None})

    def checked(self) -> "Sampling":
        """Itself; raises InvalidRequest for a value out of range (NaN included)."""
        _between("temperature", self.temperature, 0.0, 2.0)
        _between("top_k", self.top_k, 0, MAX_TOP_K)
        _between("top_p", self.top_p, MIN_TOP_P, 1.0)
        _between("repetition_penalty", self.repetition_penalty, 1.0, 2.0)
        return self


def _between(name: str, value: float | None, low: float, high: float) -> None:
    if value is not None and not low <= value <= high:
        raise InvalidRequest(f"{name} must be between {low:g} and {high:g}, got {value:g}")


def segment_seed(seed: int, segment: int) -> int:
    """Segment k's seed: the splitmix64 output of seed + k; segment 0 keeps the seed itself.

    Published, so that a client can speak one segment of a long text again by itself.
    """
    if segment == 0:
        return seed
    z = (seed + segment * 0x9E3779B97F4A7C15) & MAX_SEED
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MAX_SEED
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MAX_SEED
    return z ^ (z >> 31)
