"""What a model's voices need to read is loaded as soon as the model is known, not by the first who asks."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from gateway.model import Model
from gateway.models import Models
from gateway.speech.pipeline import prepare
from gateway.speech.segment import SegmentEvent, SegmentOrder
from gateway.text import Style, transliterator
from swara.errors import Unavailable
from swara.profile import Voice
from swara.stack import Stack
from tests.gateway.gateway_process import gateway_alone, say_over_grpc
from tests.memory import resident_bytes
from tests.stack.doors import wait_until

# The dictionary takes 46 MB; a first speech without it, measured, less than a tenth of that.
FIRST_SPEECH_BYTES = 15e6
LONG_SECONDS = 60.0


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


class Away:
    """Audio services that answer from the second time on that they are asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def model(self) -> Model:
        self.asked += 1
        if self.asked == 1:
            raise Unavailable("not yet")
        return model()

    def speak(self, order: SegmentOrder) -> AsyncGenerator[SegmentEvent, None]:
        raise AssertionError("nobody wants a speech")


def test_a_model_whose_services_come_later_is_learned_of_before_anybody_asks_for_it() -> None:
    learned: list[str] = []

    async def story() -> None:
        models = Models({"": Away()}, lambda model: learned.append(model.name))
        async with asyncio.timeout(LONG_SECONDS):
            await models.learn()

    asyncio.run(story())
    assert learned == ["demo"]


def test_a_gateway_that_was_asked_only_for_its_health_has_its_dictionary(stack: Stack) -> None:
    with gateway_alone(f"--audio-address={stack.audio_address}") as (doors, process):
        # Its doors open after a second even where a busy machine has not answered it by then.
        wait_until(lambda: any("is known" in line for line in doors.lines), LONG_SECONDS)
        ready_bytes = resident_bytes(process.pid)
        say_over_grpc(doors, "नमस्ते दोस्तों।")
        growth_bytes = resident_bytes(process.pid) - ready_bytes
    print(f"ready with {ready_bytes / 1e6:.0f} MB, {growth_bytes / 1e6:+.1f} MB after its first speech")
    assert growth_bytes < FIRST_SPEECH_BYTES
