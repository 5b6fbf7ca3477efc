"""What the gateway must know about a speech language model."""

from dataclasses import dataclass

from swara.errors import UnknownName
from swara.profile import Voice


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


def shown(name: str, characters: int = 40) -> str:
    """A caller's name for something, short enough and harmless to repeat in a sentence."""
    if len(name) > characters:
        name = name[:characters] + "…"
    return ascii(name) if not name.isprintable() else f"'{name}'"
