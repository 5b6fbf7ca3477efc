"""Profiles: read from a model folder or built in, refused with a sentence when they contradict themselves."""

import json
from pathlib import Path
from typing import Any

import pytest

from swara.errors import SetupError, UnknownName
from swara.profile import RunawayFrames, load_profile

ORPHEUS = json.loads((Path(__file__).parents[2] / "swara/profiles/orpheus.json").read_text(encoding="utf-8"))


def folder_with(tmp_path: Path, changes: dict[str, Any]) -> Path:
    (tmp_path / "profile.json").write_text(json.dumps(ORPHEUS | changes), encoding="utf-8")
    return tmp_path


def test_a_folder_without_a_profile_takes_the_built_in_one(tmp_path: Path) -> None:
    profile = load_profile(tmp_path)
    assert profile == load_profile(None)
    assert profile.name == ORPHEUS["name"]


def test_the_built_in_profile_is_that_of_published_orpheus_checkpoints() -> None:
    profile = load_profile(None)
    assert (profile.prompt_prefix_ids, profile.prompt_suffix_ids) == ((128259,), (128009, 128260, 128261, 128257))
    assert profile.end_of_speech_id == 128258
    assert profile.code_base_id == 128266
    assert profile.top_id == 128266 + 7 * 4096 - 1
    assert profile.voice("").name == profile.voices[0].name


def test_a_profile_in_the_folder_wins(tmp_path: Path) -> None:
    assert load_profile(folder_with(tmp_path, {"name": "mine"})).name == "mine"


def test_orpheus_laughs_and_sighs_and_reads_every_script() -> None:
    profile = load_profile(None)
    assert {"laugh", "sigh"} <= set(profile.emotion_tags)
    assert profile.scripts == ()


def test_a_prompt_without_a_text_is_never_empty(tmp_path: Path) -> None:
    assert load_profile(None).unheard_prompt_ids == (128259, 128009, 128260, 128261, 128257)
    bare = load_profile(folder_with(tmp_path, {"prompt_prefix_ids": [], "prompt_suffix_ids": []}))
    assert bare.unheard_prompt_ids == (bare.end_of_speech_id,)


def test_a_profile_may_leave_out_scripts_and_emotion_tags(tmp_path: Path) -> None:
    old = {key: value for key, value in ORPHEUS.items() if key not in ("scripts", "emotion_tags")}
    (tmp_path / "profile.json").write_text(json.dumps(old), encoding="utf-8")
    assert load_profile(tmp_path).emotion_tags == ()


def test_a_voice_may_name_scripts_of_its_own(tmp_path: Path) -> None:
    voices = [{"name": "asha", "language": "hi"}, {"name": "emma", "language": "en", "scripts": ["Latin"]}]
    profile = load_profile(folder_with(tmp_path, {"voices": voices, "scripts": ["Devanagari"]}))
    assert [voice.scripts for voice in profile.voices] == [(), ("Latin",)]


def test_an_unknown_voice_is_answered_with_the_known_ones() -> None:
    profile = load_profile(None)
    with pytest.raises(UnknownName, match=f"no voice 'nobody'; it has {profile.voices[0].name}"):
        profile.voice("nobody")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"slots": 6}, "slots must be 7, got 6"),
        ({"samples_per_frame": 1024}, "samples_per_frame must be 2048"),
        ({"codebook_size": 0}, "codebook_size must be between 1 and 65536"),
        ({"codebook_size": 70_000}, "codebook_size must be between 1 and 65536"),
        ({"voices": []}, "at least one voice is needed"),
        ({"prompt_template": "{voice}"}, "prompt_template must contain {text}"),
        ({"end_of_speech_id": 128266}, "end_of_speech_id lies among the audio codes"),
        ({"sampling": ORPHEUS["sampling"] | {"top_p": None}}, "sampling must set all four defaults"),
        ({"voices": [{"nom": "tara"}]}, "nom"),
        ({"prompt_prefix_ids": ["a"]}, "invalid literal"),
        ({"voices": [{"name": "emma", "language": "en", "scripts": "Latin"}]}, "scripts must be a list of names"),
        ({"scripts": "Latin"}, "scripts must be a list of names"),
        ({"emotion_tags": ["<laugh>"]}, "emotion_tags must be lower-case words without brackets"),
        ({"loudness": 3}, r"unknown \['loudness'\]"),
    ],
)
def test_a_contradiction_is_one_sentence_that_names_the_file(
    tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(SetupError, match=sentence) as caught:
        load_profile(folder_with(tmp_path, changes))
    assert "profile.json" in str(caught.value)


@pytest.mark.parametrize(("text", "sentence"), [("{", "is not JSON"), ("[]", "missing"), ('{"name": "x"}', "missing")])
def test_what_is_no_profile_at_all_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "profile.json").write_text(text, encoding="utf-8")
    with pytest.raises(SetupError, match=sentence):
        load_profile(tmp_path)


def test_a_built_in_profile_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SetupError, match="no built-in profile 'swahili'"):
        load_profile(None, "swahili")


def test_the_runaway_limit_grows_with_the_text() -> None:
    limit = RunawayFrames(base=16, per_character=2.0)
    assert limit.limit_frames("") == 16
    assert limit.limit_frames("नमस्ते") == 16 + 2 * len("नमस्ते")
