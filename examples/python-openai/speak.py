"""Speaks with OpenAI's own Python client: `pip install openai`, a gateway, and nothing of ours.

python speak.py "नमस्ते दोस्तों।" speech.mp3
"""

import os
import sys
import time
from pathlib import Path

from openai import OpenAI

FORMATS = {".mp3": "mp3", ".opus": "opus", ".ogg": "opus", ".aac": "aac", ".flac": "flac", ".wav": "wav", ".pcm": "pcm"}


def main(text: str, target: Path) -> None:
    """Streams the speech into a file and says how soon it began."""
    client = OpenAI(
        base_url=os.environ.get("GATEWAY_URL", "http://127.0.0.1:8080") + "/v1",
        api_key=os.environ.get("GATEWAY_API_KEY", "none"),
    )
    began = time.perf_counter()
    # A model and a voice must be named: OpenAI's names stand for Swara's first model and its voices.
    with (
        client.audio.speech.with_streaming_response.create(
            model="tts-1", voice="alloy", input=text, response_format=FORMATS[target.suffix]
        ) as answer,
        target.open("wb") as file,
    ):
        for count, piece in enumerate(answer.iter_bytes()):
            if not count:
                print(f"first audio after {1000 * (time.perf_counter() - began):.0f} ms")
            file.write(piece)
        print(f"{answer.headers['x-swara-voice']} spoke; request {answer.headers['x-request-id']}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
