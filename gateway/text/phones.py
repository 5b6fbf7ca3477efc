"""English pronunciations to Devanagari: phones in misaki's alphabet, one character each, become letters.

Follows how Hindi spells English words: t and d are ट and ड, the weak vowel has no sign, r is always spoken.
"""

import re

from gateway.text.syllables import AA, AI, II, NASAL, OH, OPEN_O, SHORT_A, SHORT_I, SHORT_U, UU, E, Vowel, written

SOUNDS: dict[str, str | Vowel] = {
    "b": "ब", "d": "ड", "f": "फ़", "h": "ह", "j": "य", "k": "क", "l": "ल", "m": "म", "n": "न", "p": "प",
    "s": "स", "t": "ट", "v": "व", "w": "व", "z": "ज़", "ɡ": "ग", "ɹ": "र", "ɾ": "ट", "ʃ": "श", "ʒ": "ज़",
    "ð": "द", "θ": "थ", "ʤ": "ज", "ʧ": "च", "ʔ": "ट", "N": NASAL, "a": AA, "A": E, "O": OH, "i": II,
    "ɪ": SHORT_I, "ᵻ": SHORT_I, "u": UU, "ʊ": SHORT_U, "ɛ": E, "æ": AI, "ɑ": OPEN_O, "ɔ": OPEN_O,
    "ʌ": SHORT_A, "ə": SHORT_A, "ᵊ": SHORT_A, "ɜ": SHORT_A,
    "I": Vowel("आइ", "ाइ"), "W": Vowel("आउ", "ाउ"), "Y": Vowel("ऑइ", "ॉइ"),
}  # fmt: skip
# Applied in this order: what Hindi writes otherwise than English says it.
SPELLINGS = [
    (re.compile("[ˈˌ]"), ""),
    (re.compile("ɑɹ"), "aɹ"),
    # Vowels that meet have a glide between them, and the first is short.
    (re.compile("[iɪ](?=[əæɛAOuʌɑ])"), "ɪj"),
    (re.compile("[uʊ](?=[əɪiɛA])"), "ʊw"),
    # An s is written as it is spelled.
    (re.compile("(?<=[bdɡlmnŋɹv])z$"), "s"),
    (re.compile("[əʌ]$"), "a"),
    (re.compile("ɪ$"), "i"),
    (re.compile("[mnŋ](?=[kɡpbtdʧʤ])"), "N"),
    (re.compile("ŋ"), "Nɡ"),
]


def devanagari(phones: str) -> str:
    """The word that is pronounced so."""
    for heard, spelled in SPELLINGS:
        phones = heard.sub(spelled, phones)
    return written(SOUNDS[phone] for phone in phones if phone in SOUNDS)
