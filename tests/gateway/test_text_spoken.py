"""What is said of what is written; docs/text.md shows these very examples."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.text import Reader, Style, segments
from tests.gateway.text_writing import WRITING

GUIDE = Path(__file__).parents[2] / "docs" / "text.md"


def rows(heading: str) -> list[tuple[str, str]]:
    """The table under a heading of the guide: what is written, what is said."""
    section = GUIDE.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [tuple(cell.strip().strip("`") for cell in line.strip("|").split(" | ")) for line in lines]  # type: ignore[misc]


HINDI, ENGLISH, DEVANAGARI = rows("Hindi"), rows("English"), rows("Voices that read Devanagari only")


def test_the_guide_has_its_examples() -> None:
    assert min(len(HINDI), len(ENGLISH), len(DEVANAGARI)) >= 10


@pytest.mark.parametrize(("written", "said"), HINDI)
def test_hindi_is_said_as_the_guide_says(written: str, said: str) -> None:
    assert Reader(Style(), "hi").read(written) == said


@pytest.mark.parametrize(("written", "said"), ENGLISH)
def test_english_is_said_as_the_guide_says(written: str, said: str) -> None:
    assert Reader(Style(), "en-US", emotion_tags=("laugh",)).read(written) == said


@pytest.mark.parametrize(("written", "said"), DEVANAGARI)
def test_a_voice_of_one_script_gets_all_in_it(written: str, said: str) -> None:
    assert Reader(Style(), "hi", scripts=("Devanagari",)).read(written) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("₹12,34,56,78,900", "one thousand two hundred and thirty-four crore fifty-six lakh seventy-eight thousand"),
        (
            "₹12,34,56,70,00,005",
            "one lakh twenty-three thousand four hundred and fifty-six crore seventy lakh and five",
        ),
        ("₹1,00,00,00,00,00,000", "ten lakh crore rupees"),
    ],
)
def test_sums_past_a_thousand_crore_are_so_many_crore(written: str, said: str) -> None:
    assert Reader(Style(), "en").read(written).startswith(said)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("On 5 APRİL 2024", "On April fifth, twenty twenty-four"),
        ("aprıl 2024", "April twenty twenty-four"),
        ("5 İNR", "five rupees"),
    ],
)
def test_an_i_with_the_wrong_dot_is_an_i_in_months_and_money(written: str, said: str) -> None:
    assert Reader(Style(), "en").read(written) == said


@given(WRITING, st.sampled_from(["en", "hi"]))
def test_whatever_is_written_can_be_read(text: str, language: str) -> None:
    assert isinstance(Reader(Style(), language).read(text), str)


@given(WRITING)
def test_a_voice_of_one_script_never_meets_a_letter_or_digit_of_another(text: str) -> None:
    said = Reader(Style(), "hi", scripts=("Devanagari",)).read(text)
    assert not [mark for mark in said if mark.isalnum() and not "\u0900" <= mark <= "\u097f"]


@given(WRITING, st.integers(10, 160))
def test_what_is_said_fits_the_prompt_too(text: str, limit: int) -> None:
    assert all(0 < len(said) <= limit for said in segments(text, limit, Reader(Style(), "hi", ("Devanagari",)).read))


@given(st.lists(st.sampled_from(["<laugh>", "हाँ ", "5", "! ", "well", "<sigh>", " "]), max_size=40).map("".join))
def test_a_known_tag_is_never_split_changed_or_lost(text: str) -> None:
    said = " ".join(segments(text, 60, Reader(Style(), "hi", emotion_tags=("laugh", "sigh")).read))
    assert [said.count(tag) for tag in ("<laugh>", "<sigh>")] == [text.count(tag) for tag in ("<laugh>", "<sigh>")]


def test_an_unknown_tag_is_read_as_a_word() -> None:
    assert Reader(Style(), "en", emotion_tags=("laugh",)).read("Oh <frown> no.") == "Oh frown no."


def test_the_scheme_of_a_web_address_is_left_out_however_it_is_written() -> None:
    assert Reader(Style(), "en").read("HTTPS://WWW.Example.com/a") == "Example dot com slash a"


def test_a_full_stop_without_a_space_after_it_makes_no_web_address() -> None:
    assert Reader(Style(), "en").read("We came.In the end we left") == "We came.In the end we left"


def test_normalization_off_leaves_numbers_and_signs_as_they_are() -> None:
    assert Reader(Style(normalization="off"), "en").read("Dr. X & 5%") == "Dr. X & 5%"


def test_markdown_is_read_as_it_stands_where_the_setting_says_so() -> None:
    style = Style(normalization="off", markdown="speak")
    assert Reader(style, "en").read("# A **b**") == "# A **b**"


def test_a_code_block_is_left_out_though_it_spans_segments() -> None:
    reader = Reader(Style(), "en")
    said = [reader.read(segment) for segment in ("Look:\n```python", "print(1)", "x = 2\n```\nDone.")]
    assert said == ["Look:", "", "Done."]


def test_a_list_is_said_item_by_item() -> None:
    assert Reader(Style(), "en").read("- milk\n- bread\n* eggs") == "milk. bread. eggs."


def test_emoji_are_named_where_the_setting_says_so() -> None:
    assert Reader(Style(emoji="speak"), "en").read("Fine 😀!") == "Fine grinning face!"


@pytest.mark.parametrize("text", ["Aaj 5 din", "काल ५ आहे", "Il y a 5 ans"])
def test_the_numbers_of_other_languages_are_left_as_they_are(text: str) -> None:
    assert Reader(Style(), "mr" if "काल" in text else "fr").read(text) == text


LONG = {
    "Hindi": "नमस्ते, आज मौसम बहुत अच्छा है। ",
    "English": "Hello there, all of you who listen. ",
    "digits": "1",
    "numbers": "1,23,456.50 ",
    "dates": "On March 5, 2024 at 10:30 a.m. ",
    "dots": "a.",
    "signs": "@",
    "brackets": "[(",
    "stars": "*_",
    "angles": "<<",
    "capitals": "XIV",
    "one word": "a",
    "dashes": "5-",
    "slashes": "1/2/",
    "colons": "12:",
    "marks": "\u0301",
}


@pytest.mark.parametrize("piece", LONG.values(), ids=LONG)
def test_the_time_grows_with_the_text_and_no_faster(piece: str) -> None:
    def seconds(characters: int) -> float:
        text = (piece * characters)[:characters]
        start = time.process_time()
        list(segments(text, 160, Reader(Style(), "hi", ("Devanagari",)).read))
        return time.process_time() - start

    seconds(5_000)
    assert seconds(50_000) < 40 * seconds(5_000) + 0.1
