"""`swara-engine build`: an engine directory with TensorRT-LLM 1.2, and beside it what it was built for.

Checked against the recorded contract of 1.2; not run: it needs the image and a GPU.
"""

import argparse
import json
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from swara.errors import SetupError
from swara.profile import load_profile
from token_service.checkpoint import check_vocabulary, read_config
from token_service.engines.trtllm_directory import ORIGIN, installed_gpu
from token_service.engines.trtllm_release import Release
from token_service.footprint import Footprint

ALGORITHMS = {"fp8": "FP8"}
DTYPES = {"bf16": "bfloat16", "fp16": "float16", "fp8": "bfloat16"}
# Tokens of one step, prompts included.
STEP_TOKENS = 8192
SERVED_FILES = ("profile.json", "tokenizer.json", "tokenizer_config.json")


def build(checkpoint: Path, out: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Builds, copies what serving needs beside it, and notes GPU and release; raises SetupError."""
    profile = load_profile(checkpoint, options.profile)
    check_vocabulary(profile, Footprint.of(read_config(checkpoint)).vocabulary)
    release = _release()
    if out.exists() and any(out.iterdir()):
        raise SetupError(f"{out} is not empty")
    _built(checkpoint, options).save(str(out))
    origin = {"gpu": installed_gpu(), "release": release.name, "precision": options.precision}
    (out / ORIGIN).write_text(json.dumps(origin, indent=2), encoding="utf-8")
    for name in SERVED_FILES:
        if (checkpoint / name).is_file():
            shutil.copy(checkpoint / name, out / name)
    return {"folder": str(out), **origin}


def _release() -> Release:
    if find_spec("tensorrt_llm") is None:
        raise SetupError("building needs TensorRT-LLM 1.2: run this in nvcr.io/nvidia/tensorrt-llm/release:1.2.1")
    release = Release.installed()
    if not release.loads_engine_directories:
        raise SetupError(f"TensorRT-LLM {release.name} builds no engine directories, 1.2.1 was the last that does")
    return release


def _built(checkpoint: Path, options: argparse.Namespace) -> Any:
    from tensorrt_llm._tensorrt_engine import LLM
    from tensorrt_llm.llmapi import BuildConfig, QuantConfig

    sizes = BuildConfig(
        max_input_len=options.max_seq_len,
        max_seq_len=options.max_seq_len,
        max_batch_size=options.max_batch_size,
        max_beam_width=1,
        max_num_tokens=max(STEP_TOKENS, options.max_seq_len),
    )
    algorithm = ALGORITHMS.get(options.precision)
    return LLM(
        model=str(checkpoint),
        skip_tokenizer_init=True,
        dtype=DTYPES[options.precision],
        tensor_parallel_size=options.tensor_parallel,
        build_config=sizes,
        quant_config=QuantConfig(quant_algo=algorithm),
    )
