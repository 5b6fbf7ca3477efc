"""What a listener asks for, as a plain value that every door translates to."""

from dataclasses import dataclass, field

from gateway.speech.manuscript import Manuscript
from swara.errors import InvalidRequest
from swara.speech import MAX_SEED, Priority, Sampling
from swara.stopwatch import Stopwatch


class BadField(InvalidRequest):
    """A field's value is of the wrong type or out of range; `param` names the field."""

    def __init__(self, param: str, sentence: str) -> None:
        super().__init__(sentence)
        self.param = param


class NothingToSay(InvalidRequest):
    """The text holds nothing that could be spoken."""

    def __init__(self) -> None:
        super().__init__("the text is empty: it needs at least one letter or digit")


@dataclass(frozen=True)
class SpeechRequest:
    """One text to be spoken; empty names take the defaults, a seed of None is drawn, `arrival` began when it came.

    With a `manuscript` the text that is written there instead; with a `resume_token` the rest of an interrupted
    synthesis, which the token tells. `resumable` asks for such a token with every chunk, `shareable` lets others in.
    `key_name` is the API key's.
    """

    request_id: str
    text: str
    model: str = ""
    voice: str = ""
    sampling: Sampling = field(default_factory=Sampling)
    seed: int | None = None
    priority: Priority = Priority.INTERACTIVE
    timeout_seconds: float | None = None
    resumable: bool = False
    resume_token: bytes = b""
    shareable: bool = False
    key_name: str = ""
    manuscript: Manuscript | None = field(default=None, compare=False)
    arrival: Stopwatch = field(default_factory=Stopwatch, compare=False)

    @property
    def remaining_seconds(self) -> float | None:
        """What is left of the caller's deadline, never below 0; None where there is no deadline."""
        return None if self.timeout_seconds is None else max(0.0, self.timeout_seconds - self.arrival.seconds)

    @property
    def characters(self) -> int:
        """How long the text is, as far as it has been written; 0 for the rest of what was counted before."""
        return len(self.text) if self.manuscript is None else self.manuscript.characters

    def checked(self, max_text_characters: int) -> "SpeechRequest":
        """Itself; raises InvalidRequest with a sentence for what no model could speak."""
        if self.manuscript is None and not any(map(str.isalnum, self.text)):
            raise NothingToSay
        if len(self.text) > max_text_characters:
            raise InvalidRequest(f"the text has {len(self.text)} characters, the limit is {max_text_characters}")
        for name in ("text", "model", "voice"):
            _refuse_lone_surrogates(name, getattr(self, name))
        if self.seed is not None and not 0 <= self.seed <= MAX_SEED:
            raise InvalidRequest(f"seed must be between 0 and {MAX_SEED}")
        self.sampling.checked()
        return self


def _refuse_lone_surrogates(name: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidRequest(f"{name} is not valid Unicode: it holds half of a surrogate pair") from None


@dataclass(frozen=True)
class ListenRequest:
    """Asks to join a synthesis from `first_sample` on; None joins live.

    `key_name` is the API key's; `credential` is what the caller showed for it, passed on to the gateway that owns the
    synthesis; `voucher` is what another gateway shows that asks for its listener, who is never passed on again.
    """

    request_id: str
    synthesis_id: str
    first_sample: int | None = 0
    timeout_seconds: float | None = None
    key_name: str = ""
    credential: str = ""
    voucher: str = ""
