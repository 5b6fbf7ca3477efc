"""Plans: text becomes a prompt, defaults are filled in, and every bad request gets a sentence."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from swara.errors import InvalidRequest, SetupError, UnknownName
from swara.profile import Profile, load_profile
from swara.speech import Sampling
from token_service.grammar import SlotGrammar
from token_service.plan import Planner, SegmentRequest
from token_service.prompt import Prompter, load_tokenizer

DEMO = Path("demo_model/weights/language_model")
PROFILE = load_profile(DEMO)
TOKENIZER = load_tokenizer(DEMO)
HELLO = SegmentRequest("r", "नमस्ते", "", Sampling(), 1)


def planner(profile: Profile = PROFILE, context_tokens: int = 2048) -> Planner:
    return Planner(profile, Prompter(profile, TOKENIZER), context_tokens)


def test_the_prompt_is_prefix_bos_voice_text_suffix() -> None:
    ids = planner().plan(HELLO).generation.prompt_ids
    spoken = TOKENIZER.encode(f"{PROFILE.voices[0].name}: नमस्ते।", add_special_tokens=True).ids
    assert ids == (*PROFILE.prompt_prefix_ids, *spoken, *PROFILE.prompt_suffix_ids)


def test_a_text_without_an_end_mark_gets_the_profiles_and_no_other_does() -> None:
    def ids(text: str, profile: Profile = PROFILE) -> tuple[int, ...]:
        return planner(profile).plan(replace(HELLO, text=text)).generation.prompt_ids

    assert ids("नमस्ते") == ids("नमस्ते।") == ids(" नमस्ते ")
    assert len({ids("नमस्ते?"), ids("नमस्ते!"), ids("नमस्ते।")}) == 3
    assert ids("नमस्ते", replace(PROFILE, closing_mark="")) != ids("नमस्ते।")


def test_a_profile_may_leave_bos_out() -> None:
    with_bos = planner().plan(HELLO).generation.prompt_ids
    without = planner(replace(PROFILE, add_bos=False)).plan(HELLO).generation.prompt_ids
    assert len(without) == len(with_bos) - 1
    assert without == (*with_bos[:1], *with_bos[2:])


def test_defaults_come_from_the_profile_and_the_guard_from_the_text() -> None:
    plan = planner().plan(replace(HELLO, sampling=Sampling(temperature=0.3)))
    assert plan.generation.sampling == replace(PROFILE.sampling, temperature=0.3)
    assert plan.generation.max_frames == PROFILE.runaway_frames.limit_frames("नमस्ते")
    assert plan.guarded
    assert not planner().plan(replace(HELLO, max_frames=5)).guarded


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"text": ""}, "empty"),
        ({"text": " \n\t"}, "empty"),
        ({"text": "क" * 5000}, "has 5000 characters, the model takes"),
        ({"sampling": Sampling(temperature=2.5)}, "temperature must be between 0 and 2"),
        ({"sampling": Sampling(temperature=float("nan"))}, "temperature must be"),
        ({"sampling": Sampling(top_p=0.0)}, "top_p must be"),
        ({"sampling": Sampling(repetition_penalty=0.5)}, "repetition_penalty must be"),
        ({"max_frames": 100_000}, "leave room for"),
        ({"ignore_end": True}, "ignore_end needs max_frames"),
        ({"min_frames": 9, "max_frames": 8}, "must not exceed"),
        ({"resume": np.zeros((9, 7), np.uint16), "max_frames": 8}, "must not exceed"),
        ({"max_lead_seconds": float("nan")}, "max_lead_seconds"),
        ({"max_lead_seconds": 0.1}, "max_lead_seconds must be 0, for no bound, or at least 0.2"),
    ],
)
def test_a_bad_request_is_refused_with_a_sentence(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        planner().plan(replace(HELLO, **change))


def test_an_unknown_voice_is_refused_with_the_list_of_voices() -> None:
    with pytest.raises(UnknownName, match=PROFILE.voices[1].name):
        planner().plan(replace(HELLO, voice="nobody"))


def test_a_text_cannot_spell_control_tokens() -> None:
    control = SlotGrammar(PROFILE).first_id(0)
    spelt = TOKENIZER.id_to_token(PROFILE.prompt_suffix_ids[0])
    tokens = [token for token in (spelt, TOKENIZER.id_to_token(control)) if token]
    assert tokens, "the tokenizer names its control tokens"
    for token in tokens:
        if TOKENIZER.encode(token, add_special_tokens=False).ids in ([PROFILE.prompt_suffix_ids[0]], [control]):
            with pytest.raises(InvalidRequest, match="control token"):
                planner().plan(replace(HELLO, text=f"नमस्ते {token}"))


def test_a_tokenizer_without_bos_contradicts_a_profile_that_wants_it(tmp_path: Path) -> None:
    bare = load_tokenizer(DEMO)
    bare.post_processor = None
    with pytest.raises(SetupError, match="BOS"):
        Prompter(PROFILE, bare)


@pytest.mark.parametrize("spoil", [lambda path: None, lambda path: path.write_text("{}")])
def test_a_folder_without_a_readable_tokenizer_is_refused(tmp_path: Path, spoil) -> None:
    spoil(tmp_path / "tokenizer.json")
    with pytest.raises(SetupError, match="tokenizer"):
        load_tokenizer(tmp_path)
