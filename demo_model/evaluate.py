"""Can a listener tell what is said, and is it pleasant to hear? Every sound is judged by Whisper and by DistillMOS."""

import statistics
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from demo_model.heldout import Sentence, candidates
from demo_model.naturalness import naturalness
from demo_model.transcriber import Transcriber, word_errors, words
from demo_model.whisper import SAMPLE_RATE_HZ as JUDGE_RATE_HZ
from demo_model.whisper import Judge

Audio = npt.NDArray[np.float32]
Figures = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """One sound judged: `place` is 0 when the right sentence won among ten, `ratio` its length over the teacher's."""

    number: int
    seed: int
    seconds: float
    ratio: float
    score: float
    best_wrong: float
    place: int
    distillmos: float


def wav_path(folder: Path, number: int, seed: int) -> Path:
    """Where the sound of one sentence and seed lies."""
    return folder / f"{number:03d}-{seed}.wav"


def resample(audio: Audio, rate_hz: int) -> Audio:
    """Audio at the rate that every judge here wants."""
    return np.asarray(soxr.resample(audio, rate_hz, JUDGE_RATE_HZ), dtype=np.float32)


def judge_sound(judge: Judge, sentence: Sentence, sentences: list[Sentence], audio: Audio, rate_hz: int) -> Verdict:
    """Score the ten candidates for one sound, and the sound."""
    heard = resample(audio, rate_hz)
    right, *wrong = judge.scores(heard, candidates(sentence, sentences))
    seconds = len(audio) / rate_hz
    return Verdict(
        number=sentence.number,
        seed=0,
        seconds=round(seconds, 2),
        ratio=round(seconds / sentence.teacher_seconds, 2),
        score=round(right, 3),
        best_wrong=round(max(wrong), 3),
        place=sum(score >= right for score in wrong),
        distillmos=round(naturalness(heard), 3),
    )


def judge_folder(
    judge: Judge, folder: Path, sentences: list[Sentence], count: int, seeds: int = 1
) -> Iterator[Verdict]:
    """Judge NUMBER-SEED.wav of the first `count` sentences; a missing file is an error, never skipped."""
    for sentence in sentences[:count]:
        for seed in range(seeds):
            audio, rate_hz = soundfile.read(wav_path(folder, sentence.number, seed), dtype="float32")
            verdict = judge_sound(judge, sentence, sentences, audio, rate_hz)
            yield Verdict(**asdict(verdict) | {"seed": seed})


def summary(verdicts: list[Verdict]) -> Figures:
    """The figures that count: `preferred` is the share of sounds whose right sentence won."""
    preferred = sum(verdict.place == 0 for verdict in verdicts)
    return {
        "score": round(statistics.mean(verdict.score for verdict in verdicts), 3),
        "best_wrong_score": round(statistics.mean(verdict.best_wrong for verdict in verdicts), 3),
        "preferred": round(preferred / len(verdicts), 4),
        "distillmos": round(statistics.mean(verdict.distillmos for verdict in verdicts), 3),
        "longest_ratio": max(verdict.ratio for verdict in verdicts),
        "sounds": len(verdicts),
    }


def word_error_rate(folder: Path, sentences: list[Sentence]) -> float:
    """Errors of the transcriber over the words said, one sound a sentence."""
    transcriber, errors, total = Transcriber(), 0, 0
    for sentence in sentences:
        audio, rate_hz = soundfile.read(wav_path(folder, sentence.number, 0), dtype="float32")
        said = words(sentence.text)
        errors += word_errors(said, transcriber.heard(resample(audio, rate_hz)))
        total += len(said)
    return round(errors / total, 4)


def print_table(verdicts: list[Verdict]) -> None:
    """One line a sound; losers are marked."""
    print("number seed seconds ratio  score  best wrong  place  DistillMOS")
    for v in verdicts:
        mark = "  <-" if v.place else ""
        print(
            f"{v.number:6d} {v.seed:4d} {v.seconds:7.2f} {v.ratio:5.2f} {v.score:6.2f} {v.best_wrong:11.2f}"
            f" {v.place:6d} {v.distillmos:11.2f}{mark}"
        )
