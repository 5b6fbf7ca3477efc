"""The demo model reads Devanagari only; digits and Latin words reach it in words, through every door."""

import json
from pathlib import Path

import httpx

from swara.pcm import from_bytes
from swara.stack import WEIGHTS, Stack
from tests.conftest import logged
from tests.stack.doors import DOORS, Asked, Door, assert_equal_speech, every_door, pcm_of, url
from tests.stack.test_contexts import talking

WRITTEN = "मेरे 25 रुपये और GPU कहाँ हैं?"
SAID = "मेरे पच्चीस रुपये और जी पी यू कहाँ हैं?"


@every_door
def test_digits_and_latin_words_sound_like_the_words_they_stand_for(stack: Stack, door: Door) -> None:
    spoken = [from_bytes(pcm_of(speak(stack, Asked(text)))) for speak, text in ((door, WRITTEN), (DOORS["grpc"], SAID))]
    assert_equal_speech(*spoken)


def bilingual(folder: Path) -> Path:
    """The demo model, its second voice one that reads Latin letters."""
    model = WEIGHTS / "language_model"
    for file in model.iterdir():
        (folder / file.name).symlink_to(file)
    profile = json.loads((model / "profile.json").read_text(encoding="utf-8"))
    profile["voices"][1] |= {"language": "en", "scripts": ["Latin"]}
    (folder / "profile.json").unlink()
    (folder / "profile.json").write_text(json.dumps(profile), encoding="utf-8")
    return folder


def test_of_two_voices_of_a_model_each_gets_the_text_in_its_own_script(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    flags = {"token_service": [f"--model={bilingual(tmp_path / 'model')}"]}
    with Stack.on_free_ports(flags=flags, sink=logged(tmp_path / "stack.log")) as stack:
        voices = httpx.get(url(stack, "/v1/audio/voices")).json()["voices"]
        assert [voice["scripts"] for voice in voices] == [["Devanagari"], ["Latin"]]
        with talking(stack) as talk:
            for voice in voices:
                talk.say(voice["name"], "Hello server.", voice=voice["name"], add_timestamps=True)
                talk.until_done(voice["name"])
            read = [talk.heard[voice["name"]].of("segment")[0]["text"] for voice in voices]
    assert read == ["हैलो सर्वर।", "Hello server."]
