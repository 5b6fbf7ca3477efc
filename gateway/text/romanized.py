"""Words that no dictionary has, mostly Hindi written with Latin letters: by their spelling."""

import re

from gateway.text.syllables import AA, AI, AU, II, NASAL, OH, SHORT_A, SHORT_I, SHORT_U, UU, E, Vowel, written

SOUNDS: dict[str, str | Vowel] = {
    "chh": "छ", "ksh": "क्ष", "kh": "ख", "gh": "घ", "ch": "च", "jh": "झ", "th": "थ", "dh": "ध", "ph": "फ",
    "bh": "भ", "sh": "श", "gy": "ज्ञ", "ck": "क", "k": "क", "q": "क", "c": "क", "g": "ग", "j": "ज",
    "t": "त", "d": "द", "n": "न", "p": "प", "f": "फ़", "b": "ब", "m": "म", "y": "य", "r": "र",
    "l": "ल", "v": "व", "w": "व", "s": "स", "h": "ह", "z": "ज़", "x": "क्स", "N": NASAL,
    "aa": AA, "ai": AI, "au": AU, "ay": E, "ee": II, "ea": II, "ii": II, "oo": UU, "ou": AU, "uu": UU,
    "a": SHORT_A, "e": E, "i": SHORT_I, "o": OH, "u": SHORT_U,
}  # fmt: skip
# At the end of a word these are long.
FINAL = {"a": AA, "i": II, "u": UU, "y": II}
SPELLING = re.compile("|".join(sorted(SOUNDS, key=len, reverse=True)))
BEFORE_CONSONANT = re.compile(r"n(?=[kgtdcj])|m(?=[pb])")


def devanagari(word: str) -> str:
    """The word, given in small Latin letters, by its spelling."""
    parts = SPELLING.findall(BEFORE_CONSONANT.sub("N", word))
    sounds = [SOUNDS[part] for part in parts]
    if len(parts) > 1:
        sounds[-1] = FINAL.get(parts[-1], sounds[-1])
    return written(sounds)
