"""How sounds are joined in Devanagari: a vowel is a sign after a consonant and a letter elsewhere."""

from collections.abc import Iterable
from typing import NamedTuple

VIRAMA = "्"


class Vowel(NamedTuple):
    """The letter at the start of a syllable, and the sign after a consonant; the short a has none."""

    letter: str
    sign: str


AA, II, UU = Vowel("आ", "ा"), Vowel("ई", "ी"), Vowel("ऊ", "ू")
SHORT_A, SHORT_I, SHORT_U = Vowel("अ", ""), Vowel("इ", "ि"), Vowel("उ", "ु")
E, AI, OH, AU = Vowel("ए", "े"), Vowel("ऐ", "ै"), Vowel("ओ", "ो"), Vowel("औ", "ौ")
OPEN_O = Vowel("ऑ", "ॉ")
# The dot above: m, n or ŋ before another consonant.
NASAL = Vowel("ं", "ं")


def written(sounds: Iterable[str | Vowel]) -> str:
    """The word of these vowels and consonants; consonants that meet are joined by a virama."""
    word, is_bare = "", False
    for sound in sounds:
        if isinstance(sound, Vowel):
            word += sound.sign if is_bare else sound.letter
        else:
            word += VIRAMA + sound if is_bare else sound
        is_bare = isinstance(sound, str)
    return word
