"""What a model's voices need to read is loaded as soon as the model is known, not by the first who asks."""

import pytest

from gateway.model import Model
from gateway.speech.pipeline import prepare
from gateway.text import Style, transliterator
from swara.profile import Voice


def model(*scripts: str) -> Model:
    voice = Voice("asha", "hi", "", scripts)
    return Model("demo", "f", (voice,), ("hi",), 24_000, 200)


@pytest.mark.parametrize(("scripts", "loaded"), [(("Devanagari",), 1), (("Devanagari", "Latin"), 0), ((), 0)])
def test_the_dictionary_is_read_for_voices_that_cannot_read_latin_letters(
    scripts: tuple[str, ...], loaded: int
) -> None:
    transliterator._dictionary.cache_clear()
    prepare(Style(), model(*scripts))
    assert transliterator._dictionary.cache_info().currsize == loaded
