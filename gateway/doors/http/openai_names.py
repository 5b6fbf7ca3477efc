"""OpenAI's own names for models and voices, which clients insist on or send unasked, and whom they stand for here.

A model or voice that really has such a name keeps it. The answer's headers say who spoke.
"""

from dataclasses import replace

from gateway.models import Models
from gateway.request import SpeechRequest
from swara.errors import UnknownName

MODELS = frozenset(("tts-1", "tts-1-hd", "gpt-4o-mini-tts"))
VOICES = (
    "alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer", "verse",
)  # fmt: skip


async def with_our_names(request: SpeechRequest, models: Models) -> SpeechRequest:
    """The request with one of our names in place of each of OpenAI's; raises UnknownName or Unavailable.

    A model of OpenAI's is our first one; the k-th of its voices is the model's k-th, round and round.
    """
    if request.model in MODELS and not await _is_ours(request.model, models):
        request = replace(request, model="")
    if request.voice in VOICES:
        ours = [voice.name for voice in (await models.find(request.model)).voices]
        if ours and request.voice not in ours:
            request = replace(request, voice=ours[VOICES.index(request.voice) % len(ours)])
    return request


async def _is_ours(name: str, models: Models) -> bool:
    try:
        await models.find(name)
    except UnknownName:
        return False
    return True
