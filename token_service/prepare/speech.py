"""`swara-engine calibrate`, `gate` and `quantize`: everything that needs the model to speak."""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import torch

from swara.errors import SetupError
from swara.profile import Profile, load_profile
from token_service.checkpoint import check_vocabulary, read_config
from token_service.engines.base import GenerationRequest
from token_service.footprint import Footprint
from token_service.plan import Planner, SegmentRequest
from token_service.prepare.judge import judge
from token_service.prepare.subject import Speech, Subject
from token_service.prepare.texts import read_texts, voices_of
from token_service.prompt import Prompter, load_tokenizer


def calibrate(options: argparse.Namespace) -> dict[str, Any]:
    """Writes what the model itself says: prompt, codes and END_OF_SPEECH, one list of ids a line."""
    profile = _profile(options)
    speeches = _speeches(Subject(load_model(options.checkpoint), profile), requests(options, profile))
    lines = [json.dumps(ids) for ids in calibration_ids(speeches, profile)]
    options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {"prompts": len(lines), "tokens": sum(len(one.prompt_ids) + len(one.ids) for one in speeches)}


def gate(options: argparse.Namespace) -> dict[str, Any]:
    """Compares a copy with its original."""
    profile = _profile(options)
    original, candidate = (Subject(load_model(at), profile) for at in (options.checkpoint, options.candidate))
    asked = requests(options, profile)
    return judge(original, candidate, _speeches(original, asked), asked).as_json()


def quantize(options: argparse.Namespace) -> dict[str, Any]:
    """Makes a smaller copy, judges it, and writes it only where it passes."""
    from token_service.prepare.modelopt import export, quantized

    if options.out.exists() and any(options.out.iterdir()):
        raise SetupError(f"{options.out} is not empty")
    profile = _profile(options)
    original = Subject(load_model(options.checkpoint), profile)
    asked = requests(options, profile)
    speeches = _speeches(original, asked)
    copy = quantized(
        load_model(options.checkpoint), options.precision, options.kv_cache, calibration_ids(speeches, profile)
    )
    verdict = judge(original, Subject(copy, profile), speeches, asked).as_json()
    if verdict["passed"]:
        export(copy, options.out)
        for name in ("profile.json", "tokenizer.json", "tokenizer_config.json"):
            if (options.checkpoint / name).is_file():
                shutil.copy(options.checkpoint / name, options.out / name)
    return {"precision": options.precision, "kv_cache": options.kv_cache, **verdict}


def calibration_ids(speeches: list[Speech], profile: Profile) -> list[list[int]]:
    """Text and audio tokens together, as the model meets them when it serves."""
    return [[*one.prompt_ids, *one.ids, *([profile.end_of_speech_id] if one.ended else [])] for one in speeches]


def requests(options: argparse.Namespace, profile: Profile) -> list[GenerationRequest]:
    """One request a text, the voices of the language in turn, each with a seed of its own."""
    texts = read_texts(options.calibrate, options.texts, options.prompts)
    voices = voices_of(profile, options.calibrate)
    planner = Planner(profile, Prompter(profile, load_tokenizer(options.checkpoint)), profile.max_context_tokens)
    sampling = profile.sampling
    return [
        planner.plan(
            SegmentRequest(f"text-{k}", text, voices[k % len(voices)].name, sampling, k, max_frames=options.frames)
        ).generation
        for k, text in enumerate(texts)
    ]


def load_model(folder: Path) -> Any:
    """A checkpoint as `transformers` runs it, on the GPU where there is one; raises SetupError."""
    try:
        from transformers import AutoModelForCausalLM
    except ImportError:
        raise SetupError("this needs the package transformers: pip install '.[quantize]' in Swara's folder") from None
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return AutoModelForCausalLM.from_pretrained(folder, dtype="auto" if device == "cuda" else torch.float32).to(
            device
        )
    except (OSError, ValueError) as error:
        raise SetupError(f"transformers cannot load {folder}: {str(error).splitlines()[0]}") from None


def _speeches(subject: Subject, asked: list[GenerationRequest]) -> list[Speech]:
    return [subject.speak(request) for request in asked]


def _profile(options: argparse.Namespace) -> Profile:
    profile = load_profile(options.checkpoint, options.profile)
    check_vocabulary(profile, Footprint.of(read_config(options.checkpoint)).vocabulary)
    return profile
