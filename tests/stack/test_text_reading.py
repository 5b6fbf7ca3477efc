"""The demo model reads Devanagari only; digits and Latin words reach it in words, through every door."""

from swara.pcm import from_bytes
from swara.stack import Stack
from tests.stack.doors import DOORS, Asked, Door, assert_equal_speech, every_door, pcm_of

WRITTEN = "मेरे 25 रुपये और GPU कहाँ हैं?"
SAID = "मेरे पच्चीस रुपये और जी पी यू कहाँ हैं?"


@every_door
def test_digits_and_latin_words_sound_like_the_words_they_stand_for(stack: Stack, door: Door) -> None:
    spoken = [from_bytes(pcm_of(speak(stack, Asked(text)))) for speak, text in ((door, WRITTEN), (DOORS["grpc"], SAID))]
    assert_equal_speech(*spoken)
