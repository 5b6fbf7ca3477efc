"""Texts for the property tests of the segmenter."""

from hypothesis import strategies as st

HINDI = (
    "नमस्ते, आज मौसम बहुत अच्छा है और हम बाज़ार जा रहे हैं। "
    "क्या आप हमारे साथ चलेंगे या घर पर ही रहेंगे? चलिए, जल्दी कीजिए और अपना सामान ले लीजिए!"
)
MARKS = st.text(st.sampled_from("कखगािी्ंaZ09।॥.?!…, ;:—-()\"'”\n\t₹%\u200d🙂"), max_size=300)
SENTENCES = ["वह आज सुबह बाज़ार गया", "and then we all went home", "हाँ। ", "क्यों?", "Yes! ", "Why? ", "No. "]
TURNS = [
    "Dr. ",
    "डॉ. ",
    "5 ",
    "3.14",
    "e.g. ",
    "<laugh> ",
    "https://a.in/?q=1 ",
    "...",
    "… ",
    ", ",
    "\n\n",
    "\n- ",
    "\n2. ",
]
PHRASES = st.lists(st.sampled_from([*SENTENCES, *TURNS, " ", "x"]), max_size=60).map("".join)
NUMBERS = [
    "1",
    "23",
    "99",
    "2024",
    "1st",
    "+91",
    "98765",
    "½",
    "²",
    "XIV",
    "-",
    "–",
    "/",
    ":",
    ".",
    ",",
    " ",
    "₹",
    "$",
    "%",
]
NAMES = ["km", "बजे", "AM", "p.m.", "lakh", "March", "अगस्त", "वाँ", "Chapter", "a.com", "a@b.in", "[a](b)", "```", "😀"]
FIGURES = st.text(st.sampled_from("0123456789/-–.,: ₹$%°½²+@#*_|`~=<>()[]'\nkmCIVXaéЖअवाँ"))
FIGURES |= st.lists(st.sampled_from([*NUMBERS, *NAMES, "<laugh>"])).map("".join)
WRITING = MARKS | PHRASES | FIGURES | st.text(max_size=200)


def cut(text: str, sizes: list[int]) -> list[str]:
    """The text in pieces of these sizes, over and over."""
    pieces, start, index = [], 0, 0
    while start < len(text):
        pieces.append(text[start : start + sizes[index % len(sizes)]])
        start, index = start + sizes[index % len(sizes)], index + 1
    return pieces
