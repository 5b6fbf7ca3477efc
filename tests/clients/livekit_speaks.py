"""Runs in a virtual environment with livekit-plugins-openai: its TTS at our base URL, for a model of OpenAI's and ours.

python livekit_speaks.py BASE_URL TEXT FILE: writes the PCM it decoded, prints its sample rate and when it began.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from livekit.plugins import openai


async def speak(base_url: str, text: str, model: str) -> tuple[bytes, int, float]:
    """The PCM, its rate and the seconds until its first frame."""
    service = openai.TTS(model=model, voice="alloy", base_url=base_url, api_key="none")
    began, first_seconds, rate_hz, pcm = time.perf_counter(), 0.0, 0, bytearray()
    async with service.synthesize(text) as stream:
        async for audio in stream:
            first_seconds = first_seconds or time.perf_counter() - began
            rate_hz = audio.frame.sample_rate
            pcm += bytes(audio.frame.data)
    await service.aclose()
    return bytes(pcm), rate_hz, first_seconds


def main() -> None:
    """Runs the command; tts-1 asks for the bare audio, every other model for server-sent events."""
    base_url, text, file = sys.argv[1:]
    for model in ("tts-1", "gpt-4o-mini-tts"):
        pcm, rate_hz, first_seconds = asyncio.run(speak(base_url, text, model))
        Path(f"{file}.{model}").write_bytes(pcm)
    print(json.dumps({"rate_hz": rate_hz, "first_seconds": first_seconds}))


if __name__ == "__main__":
    main()
