"""From our settings to vLLM's: every default of its that would surprise is set here."""

import os

from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.platforms import current_platform

from swara.errors import SetupError
from token_service.checkpoint import check_vocabulary, read_config
from token_service.engines.base import EngineSetup
from token_service.engines.native.weights import LlamaShape
from token_service.engines.speculation import Speculation
from token_service.engines.vllm_plugin import grammar_overrides
from token_service.footprint import Footprint, own_precision
from token_service.settings import TokenSettings

# Tokens of one step, prompts and running streams together: 40 prompts of 50 tokens; more would delay those who speak.
STEP_TOKENS = 2048
DTYPES = {"auto": "auto", "fp32": "float32", "fp16": "float16", "bf16": "bfloat16", "fp8": "auto"}
# The largest block in which vLLM hands out KV memory; a sequence may leave most of its last one empty.
BLOCK_TOKENS = 128
# Beside weights and KV cache: CUDA's context, graphs, what a step works in.
WORK_BYTES = 4 * 2**30
# By name: it is imported in vLLM's process.
SCHEDULER = "token_service.engines.vllm_scheduler.scheduler_by_frames"
DEFAULT_MEMORY_SHARE = 0.92
"""vLLM's own; on a CPU, where it counts the machine's memory."""


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
    kv_cache_bytes = settings.kv_cache_bytes or _kv_cache_bytes(setup)
    return AsyncEngineArgs(
        model=str(setup.folder),
        skip_tokenizer_init=True,
        hf_overrides=grammar_overrides(profile),
        load_format="dummy" if settings.weights == "dummy" else "safetensors",
        dtype=DTYPES[settings.precision],
        quantization="fp8" if settings.precision == "fp8" else None,
        kv_cache_dtype=settings.kv_cache_precision,
        kv_cache_memory_bytes=kv_cache_bytes,
        gpu_memory_utilization=_memory_share(setup, kv_cache_bytes),
        max_model_len=min(settings.context_tokens, profile.max_context_tokens),
        # Left alone these are 128 and 2048 whatever the GPU.
        max_num_seqs=places,
        max_num_batched_tokens=max(STEP_TOKENS, places),
        scheduling_policy="priority",
        speculative_config=_speculation(settings),
        # A frame's worth at once, gathered where it is drawn.
        scheduler_cls=SCHEDULER,
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
    settings = setup.settings
    footprint, precision = _footprint(setup)
    kept = "fp8" if settings.kv_cache_precision == "fp8" else precision
    context = min(settings.context_tokens, setup.profile.max_context_tokens) + BLOCK_TOKENS
    return int((settings.max_streams + settings.reserve_streams) * context * footprint.kv_token_bytes(kept))


def _memory_share(setup: EngineSetup, kv_cache_bytes: int) -> float:
    """The share of the card that must be free when vLLM starts: what it will take. Its own 92 % is never free beside a
    codec, so a token service that starts again beside a running audio service would not come back."""
    if not current_platform.is_cuda():
        return DEFAULT_MEMORY_SHARE
    footprint, precision = _footprint(setup)
    weights = footprint.weight_bytes("fp8" if setup.settings.precision == "fp8" else precision)
    card_bytes = int(current_platform.get_device_total_memory())
    return min(1.0, (weights + kv_cache_bytes + WORK_BYTES) / card_bytes)


def _footprint(setup: EngineSetup) -> tuple[Footprint, str]:
    """The model's counts, and the precision it computes in."""
    config, wanted = read_config(setup.folder), setup.settings.precision
    return Footprint.of(config), own_precision(config) if DTYPES[wanted] == "auto" else wanted


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
