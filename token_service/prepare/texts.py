"""The texts that a model is calibrated and judged with: short, spoken sentences of everyday life in one language."""

from importlib import resources
from pathlib import Path

from swara.errors import SetupError
from swara.profile import Profile, Voice


def read_texts(language: str, path: Path | None, count: int) -> list[str]:
    """The first texts of a file, or of the built-in ones; raises SetupError where there are none."""
    source = path or resources.files("token_service.prepare") / "texts" / f"{language}.txt"
    if not source.is_file():
        raise SetupError(f"there are no built-in texts for language {language!r}: give a file with --texts")
    lines = [line.strip() for line in source.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not lines:
        raise SetupError(f"{source} has no text")
    return lines[:count]


def voices_of(profile: Profile, language: str) -> list[Voice]:
    """The voices that speak a language; raises SetupError where there is none."""
    voices = [voice for voice in profile.voices if voice.language == language]
    if not voices:
        known = ", ".join(sorted({voice.language for voice in profile.voices}))
        raise SetupError(f"profile {profile.name} has no voice for {language!r}; it has {known}")
    return voices
