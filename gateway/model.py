"""What the gateway must know about a speech language model."""

from dataclasses import dataclass

from swara.errors import UnknownName
from swara.profile import Voice


@dataclass(frozen=True)
class Model:
    """What the gateway must know about a speech language model; `max_text_characters` is the limit of one segment.

    `scripts` are those that it reads (none: all), `emotion_tags` the names of the tags that it acts out.
    """

    name: str
    fingerprint: str
    voices: tuple[Voice, ...]
    languages: tuple[str, ...]
    sample_rate_hz: int
    max_text_characters: int
    scripts: tuple[str, ...] = ()
    emotion_tags: tuple[str, ...] = ()

    def voice(self, name: str) -> str:
        """The voice of that name, or the default where it is empty; raises UnknownName."""
        names = [voice.name for voice in self.voices]
        if name and name not in names:
            raise UnknownName(f"model {self.name} has no voice {shown(name)}; it has {', '.join(names)}")
        return name or names[0]

    def language(self, voice: str) -> str:
        """The language of one of its voices, as a BCP 47 tag."""
        return next(known.language for known in self.voices if known.name == voice)


def shown(name: str, characters: int = 40) -> str:
    """A caller's name for something, short enough and harmless to repeat in a sentence."""
    if len(name) > characters:
        name = name[:characters] + "…"
    return ascii(name) if not name.isprintable() else f"'{name}'"
