"""Where a sentence ends, and what only looks like an end."""

import pytest

from gateway.text.sentences import Sentences


def sentences(text: str) -> list[str]:
    splitter = Sentences(1_000, 1_000)
    return splitter.feed(text) + splitter.flush()


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Smith met Mr. and Mrs. Jones.",
        "डॉ. शर्मा और प्रो. वर्मा आए।",
        "ए. पी. जे. अब्दुल कलाम राष्ट्रपति थे।",
        "J. R. R. Tolkien wrote it.",
        "Fruit, e.g. apples, i.e. the red ones.",
        "It was 3.14 at 10.30 a.m. today.",
        "The U.S. Army left.",
        "See No. 5 and Fig. 3.",
        "Read https://a.in/?q=1&r=2 first.",
        "Well... maybe so.",
        "मैं... नहीं जानता।",
        "“Really?” she asked.",
        "1. First of all, listen.",
    ],
)
def test_this_is_one_sentence(text: str) -> None:
    assert sentences(text) == [text]


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("No. I will not.", ["No.", "I will not."]),
        ("Yes! No? Perhaps.", ["Yes!", "No?", "Perhaps."]),
        ("पहला॥दूसरा॥", ["पहला॥", "दूसरा॥"]),
        ("He left... Then he came.", ["He left...", "Then he came."]),
        ("She said “Go.” He went.", ["She said “Go.”", "He went."]),
        ("Buy:\n- milk\n- bread\n2. tea", ["Buy:", "- milk", "- bread", "2. tea"]),
        ("# Title\nText", ["# Title\nText"]),
        ("Text\n# Title\n\nText", ["Text", "# Title", "Text"]),
        ("It is 5 p.m. We left.", ["It is 5 p.m.", "We left."]),
        ("क्या?हाँ।", ["क्या?", "हाँ।"]),
    ],
)
def test_these_are_several(text: str, ends: list[str]) -> None:
    assert sentences(text) == ends
