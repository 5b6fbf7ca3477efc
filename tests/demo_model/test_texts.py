"""What the teacher is given to speak."""

import json
import re
from pathlib import Path

from demo_model.blueprint import LANGUAGES, PROFILE
from demo_model.corpus import tokenizer
from demo_model.heldout import ENGLISH_LIST, LIST, read_heldout
from demo_model.sentences import compose, shorts

LATIN_OR_DIGIT = re.compile(r"[A-Za-z0-9०-९]")


def test_hindi_texts_are_devanagari_alone() -> None:
    assert not [text for text in [*compose(2_000, 1), *shorts("hi", 1)] if LATIN_OR_DIGIT.search(text)]


def test_short_utterances_come_with_and_without_an_end_mark() -> None:
    for language in ("hi", "en"):
        texts = shorts(language, 1)
        bare = [text for text in texts if text[-1] not in "।.?!"]
        assert len(bare) == len(texts) / 2
        assert {text[:-1] for text in texts if text[-1] in "।.?!"} == set(bare)
        assert max(len(text.split()) for text in texts) <= 4


def test_the_tokenizer_knows_every_character() -> None:
    unknown = tokenizer().token_to_id("<unk>")
    texts = [*compose(2_000, 1), *compose(2_000, 1, "en"), *shorts("hi", 1), *shorts("en", 1)]
    assert not [text for text in texts if unknown in tokenizer().encode(text).ids]


def test_a_hundred_sentences_a_language_are_held_out() -> None:
    for path, language in ((LIST, "hi"), (ENGLISH_LIST, "en")):
        sentences = read_heldout(path)
        assert len({sentence.text for sentence in sentences}) == 100
        assert {LANGUAGES[sentence.voice] for sentence in sentences} == {language}
        assert min(sentence.teacher_seconds for sentence in sentences) > 0.5


def test_the_shipped_profile_is_what_the_blueprint_writes() -> None:
    shipped = Path("demo_model/weights/language_model/profile.json").read_text(encoding="utf-8")
    assert json.loads(shipped) == PROFILE
