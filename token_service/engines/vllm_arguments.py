"""From our settings to vLLM's: every default of its that would surprise is set here."""

import os

import torch
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.platforms import current_platform

from swara.errors import SetupError
from swara.frames import SLOTS
from token_service.checkpoint import check_vocabulary, read_config
from token_service.engines.base import EngineSetup
from token_service.engines.native.weights import LlamaShape
from token_service.engines.speculation import Speculation
from token_service.engines.vllm_plugin import grammar_overrides
from token_service.settings import TokenSettings

# Tokens of one step, prompts and running streams together: 40 prompts of 50 tokens; more would delay those who speak.
STEP_TOKENS = 2048
DTYPES = {"auto": "auto", "fp32": "float32", "fp16": "float16", "bf16": "bfloat16", "fp8": "auto"}
# The largest block in which vLLM hands out KV memory; a sequence may leave most of its last one empty.
BLOCK_TOKENS = 128


def vocabulary_of(setup: EngineSetup) -> int:
    """How many token ids the checkpoint has; raises SetupError where vLLM or the profile does not match it."""
    precision = setup.settings.precision
    if precision not in DTYPES:
        raise SetupError(f"vLLM makes no {precision} weights of a checkpoint; it takes {', '.join(DTYPES)}")
    shape = LlamaShape.of(read_config(setup.folder))
    check_vocabulary(setup.profile, shape.vocabulary)
    return shape.vocabulary


def engine_arguments(setup: EngineSetup) -> AsyncEngineArgs:
    """The arguments of vLLM's AsyncLLM for this model and these settings."""
    settings, profile = setup.settings, setup.profile
    _set_environment(settings)
    places = settings.max_streams + settings.reserve_streams
    return AsyncEngineArgs(
        model=str(setup.folder),
        skip_tokenizer_init=True,
        hf_overrides=grammar_overrides(profile),
        load_format="dummy" if settings.weights == "dummy" else "safetensors",
        dtype=DTYPES[settings.precision],
        quantization="fp8" if settings.precision == "fp8" else None,
        kv_cache_dtype=settings.kv_cache_precision,
        kv_cache_memory_bytes=settings.kv_cache_bytes or _kv_cache_bytes(setup),
        max_model_len=min(settings.context_tokens, profile.max_context_tokens),
        # Left alone these are 128 and 2048 whatever the GPU.
        max_num_seqs=places,
        max_num_batched_tokens=max(STEP_TOKENS, places),
        scheduling_policy="priority",
        speculative_config=_speculation(settings),
        # A frame's worth at once: vLLM then makes a seventh of the Python objects, and a frame comes one token later.
        stream_interval=SLOTS,
        # We count for ourselves, once a frame and not once a token.
        disable_log_stats=True,
        # On a CPU, which is for tests, compiling takes a minute.
        enforce_eager=not current_platform.is_cuda(),
    )


def _speculation(settings: TokenSettings) -> dict[str, str | int] | None:
    wanted = Speculation.of(settings)
    if wanted is None:
        return None
    if wanted.method != "ngram":
        raise SetupError(
            f"vLLM does not draft by {wanted.method} here: such a draft reads hidden states, and ours carry slots; "
            "speculation=ngram works"
        )
    return {"method": "ngram", "num_speculative_tokens": wanted.tokens}


def _kv_cache_bytes(setup: EngineSetup) -> int:
    """What every place needs at full context, so that no stream is ever put back to read its prompt again."""
    config = read_config(setup.folder)
    shape, settings = LlamaShape.of(config), setup.settings
    own = str(config.get("dtype") or config.get("torch_dtype") or "bfloat16")
    dtype = own if DTYPES[settings.precision] == "auto" else DTYPES[settings.precision]
    value_bytes = 1 if settings.kv_cache_precision == "fp8" else getattr(torch, dtype).itemsize
    token_bytes = 2 * shape.layers * shape.kv_heads * shape.head_dim * value_bytes
    context = min(settings.context_tokens, setup.profile.max_context_tokens) + BLOCK_TOKENS
    return (settings.max_streams + settings.reserve_streams) * context * token_bytes


def _set_environment(settings: TokenSettings) -> None:
    """What vLLM takes from the environment alone; what an operator has set stays."""
    wanted = {
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_LOGGING_LEVEL": "WARNING",
    }
    if current_platform.is_cuda() and settings.speculation == "none":
        # By default an architecture that vLLM does not know gets the older runner, which counts penalties on the CPU
        # and keys its draws by what it has drawn before, not by position. N-gram drafts exist in the older one only.
        wanted["VLLM_USE_V2_MODEL_RUNNER"] = "1"
    elif not current_platform.is_cuda():
        wanted |= {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": str(settings.threads)}
    for name, value in wanted.items():
        os.environ.setdefault(name, value)
