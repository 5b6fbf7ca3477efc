"""The segmenter on a text that is still being written: what it gives, and when."""

from itertools import chain

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.text import Segmenter, segments
from tests.gateway.text_writing import HINDI, WRITING, cut

SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=5)


def written(text: str, sizes: list[int], segmenter: Segmenter) -> list[str]:
    """The segments of a text that comes in pieces of these sizes."""
    return [*chain.from_iterable(map(segmenter.feed, cut(text, sizes))), *segmenter.flush()]


@given(WRITING, SIZES, st.integers(1, 160), st.integers(1, 60))
@example(HINDI, [1], 160, 24)
def test_segments_do_not_depend_on_how_the_text_was_cut(text: str, sizes: list[int], limit: int, first: int) -> None:
    whole = Segmenter(limit, first)
    assert written(text, sizes, Segmenter(limit, first)) == whole.feed(text) + whole.flush()


@given(WRITING, SIZES, st.integers(1, 160))
def test_a_whole_text_has_the_segments_of_the_same_text_in_pieces(text: str, sizes: list[int], limit: int) -> None:
    assert written(text, sizes, Segmenter(limit, first_characters=limit)) == list(segments(text, limit))


@given(WRITING, SIZES)
def test_after_a_flush_the_segmenter_is_as_new(text: str, sizes: list[int]) -> None:
    used = Segmenter(160)
    written(text, sizes, used)
    assert written(HINDI, sizes, used) == written(HINDI, sizes, Segmenter(160))


def test_the_first_segment_comes_at_the_first_clause_border_when_there_is_enough() -> None:
    segmenter = Segmenter(160)
    assert segmenter.feed("नमस्ते, आज मौसम बहुत अच्छा है और हम सब बाज़ार जा रहे हैं,") == []
    assert segmenter.feed(" क्योंकि") == ["नमस्ते, आज मौसम बहुत अच्छा है और हम सब बाज़ार जा रहे हैं,"]


def test_later_segments_are_whole_sentences() -> None:
    segmenter = Segmenter(200)
    segmenter.feed(HINDI)
    later = "इसके बाद, जब सब लोग लौट आए, तब हमने मिलकर खाना खाया, और सो गए।"
    assert segmenter.feed(f" {later} अगले दिन सुबह-सुबह हम लोग फिर से निकल पड़े और")[-1] == later


def test_a_first_sentence_too_short_to_speak_alone_waits_for_the_next_border() -> None:
    segmenter = Segmenter(160)
    assert segmenter.feed("हाँ। ज़रूर। ") == []
    assert segmenter.feed("मैं आपको अभी बताता हूँ, ध्यान") == ["हाँ। ज़रूर। मैं आपको अभी बताता हूँ,"]


def test_a_flush_gives_what_has_come_without_waiting_for_the_end_of_the_sentence() -> None:
    segmenter = Segmenter(160)
    assert segmenter.feed("यह वाक्य अभी") == []
    assert segmenter.flush() == ["यह वाक्य अभी"]
    assert segmenter.flush() == []


def test_the_last_sentence_of_a_stream_joins_the_one_before_where_it_is_short() -> None:
    segmenter = Segmenter(160)
    first = segmenter.feed("आज मौसम बहुत अच्छा है और हम बाज़ार गए। वहाँ हमने फल और सब्ज़ियाँ ख़रीदीं। अच्छा।")
    assert first == ["आज मौसम बहुत अच्छा है और हम बाज़ार गए।"]
    assert segmenter.flush() == ["वहाँ हमने फल और सब्ज़ियाँ ख़रीदीं। अच्छा।"]
