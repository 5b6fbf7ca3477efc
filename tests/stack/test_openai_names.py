"""OpenAI's own names at the HTTP door: programs written for OpenAI speak with our voices, told only our address."""

import httpx

from gateway.doors.http.openai_names import VOICES
from swara.stack import Stack
from swara_client import Client
from tests.stack.doors import url


def spoken_by(stack: Stack, **fields: str) -> tuple[str, str]:
    body = {"input": "हाँ।", "response_format": "pcm", "seed": 7, **fields}
    answer = httpx.post(url(stack), json=body, timeout=60).raise_for_status()
    return answer.headers["x-swara-model"], answer.headers["x-swara-voice"]


def test_openais_voices_stand_for_ours_in_their_order_round_and_round(stack: Stack, client: Client) -> None:
    ours = [voice.name for voice in client.voices()]
    for k in (0, 1, len(VOICES) - 1):
        assert spoken_by(stack, voice=VOICES[k])[1] == ours[k % len(ours)]


def test_openais_models_stand_for_our_first(stack: Stack, client: Client) -> None:
    first = client.voices()[0]
    for model in ("tts-1", "tts-1-hd", "gpt-4o-mini-tts"):
        assert spoken_by(stack, model=model, voice="alloy") == (first.model, first.name)


def test_other_unknown_names_are_refused_as_ever(stack: Stack) -> None:
    for fields in ({"voice": "nobody"}, {"model": "tts-9"}):
        answer = httpx.post(url(stack), json={"input": "a", **fields}, timeout=60)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unknown_name")
