"""From our settings to TensorRT-LLM's: every default of its that would surprise is set here."""

import os
from pathlib import Path
from typing import Any

from tensorrt_llm.llmapi import CudaGraphConfig, KvCacheConfig, NGramDecodingConfig

from swara.errors import SetupError
from swara.frames import SLOTS
from token_service.checkpoint import read_config
from token_service.engines.base import EngineSetup
from token_service.engines.speculation import Speculation
from token_service.engines.trtllm_release import Release
from token_service.footprint import Footprint, own_precision

DTYPES = {"auto": "auto", "fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}
# Tokens of one step, prompts and running streams together. A prompt must fit into one: it is not read in pieces.
STEP_TOKENS = 2048
# TensorRT-LLM hands out KV memory in blocks of this many tokens; a stream may leave most of its last one empty.
BLOCK_TOKENS = 32
# How many tokens must have come before in the same order for what followed them to be drafted.
NGRAM_TOKENS = 2


def places(setup: EngineSetup) -> int:
    """How many streams may run at once, the reserve included."""
    return setup.settings.max_streams + setup.settings.reserve_streams


def set_environment() -> None:
    """What TensorRT-LLM takes from the environment alone; what an operator has set stays."""
    os.environ.setdefault("TRTLLM_NO_USAGE_STATS", "1")
    # One GPU needs no second process; in one of its own our model class would not be registered.
    os.environ.setdefault("TLLM_WORKER_USE_SINGLE_PROCESS", "1")


def engine_arguments(setup: EngineSetup, folder: Path, release: Release) -> dict[str, Any]:
    """The keyword arguments of `tensorrt_llm.LLM` for the prepared folder of this model."""
    settings = setup.settings
    context = min(settings.context_tokens, setup.profile.max_context_tokens)
    return {
        "model": str(folder),
        "skip_tokenizer_init": True,
        "load_format": "dummy" if settings.weights == "dummy" else "auto",
        "dtype": _dtype(setup),
        "max_batch_size": places(setup),
        "max_beam_width": 1,
        "max_num_tokens": max(STEP_TOKENS, context),
        # The default is 1024, and a resumed stream's prompt is longer.
        "max_input_len": context,
        "max_seq_len": context,
        "kv_cache_config": kv_cache(setup),
        # Without padding, a batch of a size that was not captured runs without a graph.
        "cuda_graph_config": CudaGraphConfig(max_batch_size=places(setup), enable_padding=True),
        # A frame's worth at once; the first token comes by itself, then whole frames.
        "stream_interval": SLOTS,
        **release.sampler,
        **_speculation(Speculation.of(settings)),
    }


def kv_cache(setup: EngineSetup) -> KvCacheConfig:
    """KV memory in bytes, so that the codec on the same GPU is no race; auto keeps an engine's own type."""
    # TensorRT-LLM takes the smaller of the two; the share is of what the weights leave free.
    return KvCacheConfig(
        max_gpu_total_bytes=setup.settings.kv_cache_bytes or _kv_cache_bytes(setup),
        free_gpu_memory_fraction=0.95,
        enable_block_reuse=True,
        dtype=setup.settings.kv_cache_precision,
    )


def _kv_cache_bytes(setup: EngineSetup) -> int:
    """What every place needs at full context, so that no stream is ever put back to read its prompt again."""
    config, settings = read_config(setup.folder), setup.settings
    config = config.get("pretrained_config", config)
    own = own_precision(config) if settings.precision == "auto" else settings.precision
    precision = "fp8" if settings.kv_cache_precision == "fp8" else own
    context = min(settings.context_tokens, setup.profile.max_context_tokens) + BLOCK_TOKENS
    return int(places(setup) * context * Footprint.of(config).kv_token_bytes(precision))


def _dtype(setup: EngineSetup) -> str:
    if setup.settings.precision == "fp8":
        raise SetupError(
            "TensorRT-LLM does not quantize while it loads: make an fp8 checkpoint with `swara-engine quantize`, "
            "and serve that with precision=auto"
        )
    return DTYPES[setup.settings.precision]


def _speculation(wanted: Speculation | None) -> dict[str, Any]:
    if wanted is None:
        return {}
    if wanted.method == "ngram":
        config: Any = NGramDecodingConfig(
            max_draft_len=wanted.tokens, max_matching_ngram_size=NGRAM_TOKENS, is_public_pool=False
        )
    else:
        config = _eagle(wanted)
    return {"speculative_config": config}


def _eagle(wanted: Speculation) -> Any:
    """EAGLE-3 with the draft beside the model: inside it the tokens are drawn before our mask sees the logits."""
    try:
        from tensorrt_llm.llmapi import Eagle3DecodingConfig

        return Eagle3DecodingConfig(
            max_draft_len=wanted.tokens, speculative_model=str(wanted.draft_folder), eagle3_one_model=False
        )
    except (ImportError, TypeError, ValueError) as error:
        reason = str(error).strip().splitlines()[-1]
        raise SetupError(f"this TensorRT-LLM has no EAGLE-3 that the slot mask can reach: {reason}") from None
