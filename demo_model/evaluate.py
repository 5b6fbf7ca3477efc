"""Can a listener tell what is said? Whisper scores the right sentence against nine wrong ones, for every sound."""

import json
import statistics
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from demo_model.blueprint import SAMPLE_RATE_HZ
from demo_model.heldout import Sentence, candidates, read_heldout
from demo_model.whisper import SAMPLE_RATE_HZ as JUDGE_RATE_HZ
from demo_model.whisper import Judge

Audio = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Verdict:
    """One sound judged: `place` is 0 when the right sentence won among ten."""

    number: int
    seed: int
    seconds: float
    score: float
    best_wrong: float
    place: int


def wav_path(folder: Path, number: int, seed: int) -> Path:
    """Where the sound of one sentence and seed lies."""
    return folder / f"{number:03d}-{seed}.wav"


def resample(audio: Audio, rate_hz: int) -> Audio:
    """Audio at the rate Whisper wants."""
    import soxr

    return np.asarray(soxr.resample(audio, rate_hz, JUDGE_RATE_HZ), dtype=np.float32)


def judge_sound(
    judge: Judge, sentence: Sentence, sentences: list[Sentence], seed: int, audio: Audio, rate_hz: int
) -> Verdict:
    """Score the ten candidates for one sound."""
    right, *wrong = judge.scores(resample(audio, rate_hz), candidates(sentence, sentences))
    place = sum(score >= right for score in wrong)
    return Verdict(sentence.number, seed, round(len(audio) / rate_hz, 2), round(right, 3), round(max(wrong), 3), place)


def judge_folder(judge: Judge, folder: Path, count: int, seeds: int) -> Iterator[Verdict]:
    """Judge NUMBER-SEED.wav of the first `count` sentences; a missing file is an error, never skipped."""
    sentences = read_heldout()
    for sentence in sentences[:count]:
        for seed in range(seeds):
            audio, rate_hz = soundfile.read(wav_path(folder, sentence.number, seed), dtype="float32")
            yield judge_sound(judge, sentence, sentences, seed, audio, rate_hz)


def summary(verdicts: list[Verdict]) -> dict[str, Any]:
    """The figures that count."""
    preferred = sum(verdict.place == 0 for verdict in verdicts)
    return {
        "sounds": len(verdicts),
        "preferred": preferred,
        "preferred_share": round(preferred / len(verdicts), 4),
        "score": round(statistics.mean(verdict.score for verdict in verdicts), 3),
        "best_wrong_score": round(statistics.mean(verdict.best_wrong for verdict in verdicts), 3),
        "seconds_of_audio": round(sum(verdict.seconds for verdict in verdicts), 1),
    }


def print_table(verdicts: list[Verdict]) -> None:
    """One line a sound; losers are marked."""
    print("number seed seconds  score  best wrong  place")
    for v in verdicts:
        mark = "  <-" if v.place else ""
        print(f"{v.number:6d} {v.seed:4d} {v.seconds:7.2f} {v.score:6.2f} {v.best_wrong:11.2f} {v.place:6d}{mark}")


def speak_with_gateway(url: str, folder: Path, count: int, seeds: int, model: str) -> None:
    """Ask a running gateway for every sound, and keep the WAV files."""
    folder.mkdir(parents=True, exist_ok=True)
    for sentence in read_heldout()[:count]:
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


def speak_locally(weights: Path, folder: Path, count: int, seeds: int, sampling: dict[str, float]) -> dict[str, Any]:
    """Speak every sound in this process with the shipped weights; returns how many ended by themselves."""
    import torch

    from demo_model.synthesis import Sampling, load_codec, load_language_model, speak

    folder.mkdir(parents=True, exist_ok=True)
    device = torch.device("cpu")
    model, codec = load_language_model(weights / "language_model", device), load_codec(weights / "codec", device)
    profile = json.loads((weights / "language_model" / "profile.json").read_text(encoding="utf-8"))
    chosen = Sampling(**(profile["sampling"] | sampling))
    ended = 0
    for sentence in read_heldout()[:count]:
        for seed, speech in enumerate(
            speak(model, codec, sentence.voice, sentence.text, seeds, chosen, sentence.number)
        ):
            ended += speech.ended
            soundfile.write(wav_path(folder, sentence.number, seed), speech.audio.numpy(), SAMPLE_RATE_HZ)
    return {"sampling": asdict(chosen), "ended": ended}
