"""The models behind this gateway: which exist, with which voices and limits."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from swara.errors import UnknownName
from swara.profile import Voice

# A service that came back with another model is noticed after this; asking each time would cost every request two hops.
FRESH_SECONDS = 5.0


@dataclass(frozen=True)
class Model:
    """What the gateway must know about a speech language model; `max_text_characters` is the limit of one segment."""

    name: str
    fingerprint: str
    voices: tuple[Voice, ...]
    languages: tuple[str, ...]
    sample_rate_hz: int
    max_text_characters: int

    def voice(self, name: str) -> str:
        """The voice of that name, or the default where it is empty; raises UnknownName."""
        names = [voice.name for voice in self.voices]
        if name and name not in names:
            raise UnknownName(f"model {self.name} has no voice {shown(name)}; it has {', '.join(names)}")
        return name or names[0]


class Models:
    """Finds models by name and remembers them for `FRESH_SECONDS`."""

    def __init__(self, ask: Callable[[], Awaitable[Model]]) -> None:
        self._ask = ask
        self._known: Model | None = None
        self._asked_seconds = 0.0

    async def find(self, name: str) -> Model:
        """The model of that name, or the default where it is empty; raises UnknownName or Unavailable."""
        model = await self._default()
        if name and name != model.name:
            raise UnknownName(f"there is no model {shown(name)}; this gateway has {model.name}")
        return model

    async def all(self) -> list[Model]:
        """Every model, the default first."""
        return [await self._default()]

    async def ask_again(self) -> None:
        """Asks the services themselves, now; raises Unavailable where they do not answer."""
        self._known = None
        await self._default()

    async def _default(self) -> Model:
        if self._known is None or time.monotonic() - self._asked_seconds > FRESH_SECONDS:
            self._known = None
            model = await self._ask()
            self._known, self._asked_seconds = model, time.monotonic()
            return model
        return self._known


def shown(name: str, characters: int = 40) -> str:
    """A caller's name for something, short enough and harmless to repeat in a sentence."""
    if len(name) > characters:
        name = name[:characters] + "…"
    return ascii(name) if not name.isprintable() else f"'{name}'"
