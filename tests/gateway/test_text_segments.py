"""Where a text is cut, and that nothing spoken is lost."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.text import SHORT_CHARACTERS, segments
from gateway.text.segmenter import PIECE_CHARACTERS, plain
from gateway.text.sentences import Sentences
from tests.gateway.text_writing import HINDI, WRITING


def sentences(text: str) -> list[str]:
    splitter = Sentences(1_000, 1_000)
    return splitter.feed(text) + splitter.flush()


def without_space_and_punctuation(text: str) -> str:
    return "".join(mark for mark in text if unicodedata.category(mark)[0] in "LNMS" or mark in "%&@#*/")


def test_hindi_is_cut_at_the_danda_and_at_other_sentence_ends() -> None:
    assert list(segments(HINDI, 200)) == [
        part.strip() for part in HINDI.replace("। ", "।|").replace("? ", "?|").split("|")
    ]


def test_a_full_stop_inside_a_number_or_a_name_ends_nothing() -> None:
    assert sentences("Pi is 3.14 on swara.dev today. Yes.") == ["Pi is 3.14 on swara.dev today.", "Yes."]


def test_closing_quotes_stay_with_their_sentence() -> None:
    assert sentences("उसने कहा, “चलो।” फिर वह गया।") == ["उसने कहा, “चलो।”", "फिर वह गया।"]


def test_a_danda_without_a_space_after_it_ends_a_sentence() -> None:
    assert sentences("वह आया।वह गया।") == ["वह आया।", "वह गया।"]


def test_a_blank_line_ends_a_sentence_and_a_single_line_break_does_not() -> None:
    assert sentences("शीर्षक\n\nपहला\nवाक्य।") == ["शीर्षक", "पहला\nवाक्य।"]


def test_short_sentences_share_a_segment_because_each_would_be_over_before_the_next_begins() -> None:
    assert list(segments("हाँ। नहीं। शायद।", 200)) == ["हाँ। नहीं। शायद।"]


def test_a_sentence_over_the_limit_is_cut_after_a_comma_rather_than_at_a_space() -> None:
    long = "पहला हिस्सा यहाँ तक चलता है और फिर, दूसरा हिस्सा शुरू होता है और देर तक चलता रहता है"
    first, *_ = segments(long, 50)
    assert first.endswith("फिर,")


def test_a_sentence_a_little_over_the_limit_is_cut_in_the_middle_and_leaves_no_crumb() -> None:
    sentence = "यह एक लंबा वाक्य है जिसमें कोई विराम नहीं है और जो थोड़ा सा ज़्यादा लंबा हो गया है।"
    assert min(map(len, segments(sentence, len(sentence) - 3))) > len(sentence) // 3


def test_an_emotion_tag_is_not_cut_while_there_are_spaces_to_cut_at() -> None:
    text = ("कितना अच्छा दिन है " * 4 + "<laugh> ") * 6
    assert sum(segment.count("<laugh>") for segment in segments(text, 60)) == 6


def test_a_word_over_the_limit_is_cut_between_letters_and_not_inside_one() -> None:
    for segment in list(segments("क्षत्रिय" * 40, 50))[1:]:
        assert not unicodedata.category(segment[0]).startswith("M")


@pytest.mark.parametrize("text", ["", "   ", "।।।", "... !? —", "\n\n"])
def test_punctuation_alone_makes_no_segment(text: str) -> None:
    assert list(segments(text, 100)) == []


@given(WRITING, st.integers(1, 120))
@example(HINDI, 60)
def test_no_spoken_character_is_lost_or_moved(text: str, limit: int) -> None:
    joined = "".join(segments(text, limit))
    assert without_space_and_punctuation(joined) == without_space_and_punctuation(text)


@given(WRITING, st.integers(1, 120))
def test_every_segment_fits_its_limit_and_has_something_to_say(text: str, limit: int) -> None:
    for segment in segments(text, limit):
        assert 0 < len(segment) <= limit
        assert segment == segment.strip()
        assert without_space_and_punctuation(segment)


@given(st.lists(st.sampled_from(["हाँ।", "वह आज सुबह बाज़ार गया और शाम को लौटा।", "क्यों?"]), min_size=1, max_size=12))
def test_only_a_text_that_is_short_itself_has_a_short_segment(words: list[str]) -> None:
    cut = list(segments(" ".join(words), 200))
    assert len(cut) == 1 or all(len(segment) >= SHORT_CHARACTERS for segment in cut)


def test_a_segment_of_a_long_text_costs_its_own_work_and_not_that_of_the_text() -> None:
    """Counted in characters that were read; what is short is read together with what follows."""
    read: list[str] = []

    def reader(segment: str) -> str:
        read.append(segment)
        return plain(segment)

    text = (HINDI * 100)[:10_000]
    made = segments(text, 160, reader)
    for count in (1, 2, 3):
        next(made)
        assert sum(map(len, read)) <= count * 160 + PIECE_CHARACTERS
    assert sum(map(len, [*read, *made])) > 9_000
