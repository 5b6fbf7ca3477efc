"""What the gateway must know about a speech language model."""

from dataclasses import dataclass

from swara.errors import UnknownName
from swara.profile import Voice


@dataclass(frozen=True)
class Model:
    """What the gateway must know about a speech language model; `max_text_characters` is the limit of one segment.

    Each voice's `scripts` are those that it reads (none: all); `emotion_tags` are the names of the tags that the model
    acts out.
    """

    name: str
    fingerprint: str
    voices: tuple[Voice, ...]
    languages: tuple[str, ...]
    sample_rate_hz: int
    max_text_characters: int
    emotion_tags: tuple[str, ...] = ()

    def voice(self, name: str) -> Voice:
        """The voice of that name, or the default where it is empty; raises UnknownName."""
        for voice in self.voices:
            if name in ("", voice.name):
                return voice
        names = ", ".join(voice.name for voice in self.voices)
        raise UnknownName(f"model {self.name} has no voice {shown(name)}; it has {names}")


def shown(name: str, characters: int = 40) -> str:
    """A caller's name for something, short enough and harmless to repeat in a sentence."""
    if len(name) > characters:
        name = name[:characters] + "…"
    return ascii(name) if not name.isprintable() else f"'{name}'"
