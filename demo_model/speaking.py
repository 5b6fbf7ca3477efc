"""The held-out sentences spoken for the judges: in this process, or by a running gateway."""

import json
import urllib.request
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import soundfile
import torch

from demo_model.blueprint import SAMPLE_RATE_HZ
from demo_model.evaluate import wav_path
from demo_model.heldout import Sentence
from demo_model.synthesis import Sampling, load_codec, load_language_model, speak


def speak_with_gateway(url: str, folder: Path, sentences: list[Sentence], seeds: int, model: str) -> None:
    """Ask a running gateway for every sound, and keep the WAV files."""
    folder.mkdir(parents=True, exist_ok=True)
    for sentence in sentences:
        for seed in range(seeds):
            wanted = {
                "model": model,
                "input": sentence.text,
                "voice": sentence.voice,
                "response_format": "wav",
                "seed": seed,
            }
            request = urllib.request.Request(
                f"{url.rstrip('/')}/v1/audio/speech", json.dumps(wanted).encode(), {"Content-Type": "application/json"}
            )
            with urllib.request.urlopen(request, timeout=120) as response:
                audio, rate_hz = soundfile.read(BytesIO(response.read()), dtype="int16")
            soundfile.write(wav_path(folder, sentence.number, seed), audio, rate_hz)


def speak_locally(weights: Path, folder: Path, sentences: list[Sentence], seeds: int) -> dict[str, Any]:
    """Speak every sound in this process at the profile's sampling; `ended` is the share that ended by itself."""
    folder.mkdir(parents=True, exist_ok=True)
    device, ended = torch.device("cpu"), 0
    model, codec = load_language_model(weights / "language_model", device), load_codec(weights / "codec", device)
    profile = json.loads((weights / "language_model" / "profile.json").read_text(encoding="utf-8"))
    chosen = Sampling(**profile["sampling"])
    for sentence in sentences:
        speeches = speak(model, codec, sentence.voice, sentence.text, seeds, chosen, sentence.number)
        for seed, speech in enumerate(speeches):
            ended += speech.ended
            soundfile.write(wav_path(folder, sentence.number, seed), speech.audio.numpy(), SAMPLE_RATE_HZ)
    return {"sampling": asdict(chosen), "ended": round(ended / (len(sentences) * seeds), 4)}
