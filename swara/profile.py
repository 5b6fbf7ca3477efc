"""The profile: what a server must know about a fine-tune that its checkpoint does not say.

A model folder carries it as profile.json; `orpheus` is built in, for checkpoints that have none.
"""

import json
import re
from dataclasses import MISSING, dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any

from swara.errors import SetupError, UnknownName
from swara.frames import SAMPLES_PER_FRAME, SLOTS
from swara.speech import Sampling

TAG = re.compile(r"[a-z][a-z_-]{0,21}")


@dataclass(frozen=True)
class Voice:
    """A voice by the name that goes into the prompt; language as a BCP 47 tag.

    `scripts` are those that it reads, by their Unicode names; where it names none they are the profile's.
    """

    name: str
    language: str
    description: str = ""
    scripts: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunawayFrames:
    """The most frames a text may take before it counts as a runaway: base + per_character * characters."""

    base: float
    per_character: float

    def limit_frames(self, text: str) -> int:
        """The limit for this text."""
        return int(self.base + self.per_character * len(text))


@dataclass(frozen=True)
class Profile:
    """Prompt form, token layout, voices and defaults of one fine-tune.

    Token id = code_base_id + slot * codebook_size + code. `closing_mark` is put after a text that ends in a letter or
    digit, for models that know only texts with punctuation; empty leaves texts as they are. `scripts` are those that
    the model reads, by their Unicode names (none: all of them), for voices that name none
    themselves; `emotion_tags` are the names of tags such as <laugh>. A profile.json may leave these two out.
    """

    name: str
    prompt_template: str
    add_bos: bool
    prompt_prefix_ids: tuple[int, ...]
    prompt_suffix_ids: tuple[int, ...]
    end_of_speech_id: int
    code_base_id: int
    slots: int
    codebook_size: int
    sample_rate_hz: int
    samples_per_frame: int
    codec: str
    voices: tuple[Voice, ...]
    languages: tuple[str, ...]
    sampling: Sampling
    max_text_characters: int
    max_context_tokens: int
    closing_mark: str
    runaway_frames: RunawayFrames
    scripts: tuple[str, ...] = ()
    emotion_tags: tuple[str, ...] = ()

    @property
    def top_id(self) -> int:
        """The largest token id the profile speaks of."""
        last_code_id = self.code_base_id + self.slots * self.codebook_size - 1
        return max(last_code_id, self.end_of_speech_id, *self.prompt_prefix_ids, *self.prompt_suffix_ids)

    @property
    def unheard_prompt_ids(self) -> tuple[int, ...]:
        """A prompt without a text, for what is spoken to nobody. A profile that puts nothing around a text leaves
        END_OF_SPEECH, which every model knows and no frame begins with.
        """
        return (*self.prompt_prefix_ids, *self.prompt_suffix_ids) or (self.end_of_speech_id,)

    def voice(self, name: str) -> Voice:
        """The voice of that name, or the first for an empty one; raises UnknownName."""
        if not name:
            return self.voices[0]
        for voice in self.voices:
            if voice.name == name:
                return voice
        known = ", ".join(voice.name for voice in self.voices)
        raise UnknownName(f"model {self.name} has no voice {name!r}; it has {known}")


def load_profile(folder: Path | None, built_in: str = "orpheus") -> Profile:
    """The profile.json of a model folder, or a built-in one where it has none; raises SetupError with a sentence."""
    path = folder / "profile.json" if folder else None
    if path and path.is_file():
        return _parse(path.read_text(encoding="utf-8"), str(path))
    source = resources.files("swara") / "profiles" / f"{built_in}.json"
    if not source.is_file():
        raise SetupError(f"there is no built-in profile {built_in!r}, and the model folder has no profile.json")
    return _parse(source.read_text(encoding="utf-8"), f"built-in profile {built_in}")


def _parse(text: str, source: str) -> Profile:
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        raise SetupError(f"{source} is not JSON: {error}") from None
    names = {field.name for field in fields(Profile)}
    needed = {field.name for field in fields(Profile) if field.default is MISSING}
    found = set(raw) if isinstance(raw, dict) else set()
    if not isinstance(raw, dict) or not needed <= found <= names:
        raise SetupError(f"{source}: missing {sorted(needed - found)}, unknown {sorted(found - names)}")
    try:
        profile = Profile(**_typed(raw))
    except (TypeError, ValueError, KeyError) as error:
        raise SetupError(f"{source}: {error}") from None
    _check(profile, source)
    return profile


def _typed(raw: dict[str, Any]) -> dict[str, Any]:
    return raw | {
        "prompt_prefix_ids": tuple(int(i) for i in raw["prompt_prefix_ids"]),
        "prompt_suffix_ids": tuple(int(i) for i in raw["prompt_suffix_ids"]),
        "voices": tuple(Voice(**voice | {"scripts": _scripts(voice)}) for voice in raw["voices"]),
        "languages": tuple(raw["languages"]),
        "scripts": _scripts(raw),
        "emotion_tags": tuple(raw.get("emotion_tags", ())),
        "sampling": Sampling(**raw["sampling"]),
        "runaway_frames": RunawayFrames(**raw["runaway_frames"]),
    }


def _scripts(raw: dict[str, Any]) -> tuple[str, ...]:
    """The scripts of a voice or a profile; raises TypeError where they are no list."""
    scripts = raw.get("scripts", [])
    if not isinstance(scripts, list):
        raise TypeError("scripts must be a list of names")
    return tuple(scripts)


def _check(profile: Profile, source: str) -> None:
    def claim(holds: bool, sentence: str) -> None:
        if not holds:
            raise SetupError(f"{source}: {sentence}")

    claim(profile.slots == SLOTS, f"slots must be {SLOTS}, got {profile.slots}")
    claim(profile.samples_per_frame == SAMPLES_PER_FRAME, f"samples_per_frame must be {SAMPLES_PER_FRAME}")
    claim(0 < profile.codebook_size <= 65_536, "codebook_size must be between 1 and 65536")
    claim(bool(profile.voices), "at least one voice is needed")
    claim("{text}" in profile.prompt_template, "prompt_template must contain {text}")
    codes = range(profile.code_base_id, profile.code_base_id + profile.slots * profile.codebook_size)
    claim(profile.end_of_speech_id not in codes, "end_of_speech_id lies among the audio codes")
    claim(all(map(TAG.fullmatch, profile.emotion_tags)), "emotion_tags must be lower-case words without brackets")
    claim(None not in vars(profile.sampling).values(), "sampling must set all four defaults")
