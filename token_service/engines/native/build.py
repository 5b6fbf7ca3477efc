"""How the settings make a native engine."""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

import torch

from swara.errors import SetupError
from token_service.checkpoint import check_vocabulary, read_config
from token_service.engines.base import Engine, EngineSetup
from token_service.engines.limits import Limits
from token_service.engines.native.cuda.matrix import Storage
from token_service.engines.native.cuda.open import Options, open_graph_model
from token_service.engines.native.engine import NativeEngine
from token_service.engines.native.model import FrameModel
from token_service.engines.native.tile_model import TileModel
from token_service.engines.native.weights import LlamaShape
from token_service.settings import TokenSettings

# What the setting `precision` means on CUDA: how weights are stored, and what activations are.
_PRECISIONS = {
    "auto": (Storage.WHOLE, torch.bfloat16),
    "bf16": (Storage.WHOLE, torch.bfloat16),
    "fp16": (Storage.WHOLE, torch.float16),
    "fp32": (Storage.WHOLE, torch.float32),
    "fp8": (Storage.FP8, torch.bfloat16),
    "int8": (Storage.INT8, torch.bfloat16),
}


def build(setup: EngineSetup) -> Engine:
    """The engine for this machine, not started; raises SetupError for a checkpoint that it cannot run."""
    settings, profile = setup.settings, setup.profile
    vocabulary = LlamaShape.of(read_config(setup.folder)).vocabulary
    check_vocabulary(profile, vocabulary)
    context_tokens = min(settings.context_tokens, profile.max_context_tokens)
    on_cuda = _device(settings) == "cuda"
    opened = _cuda_model(setup, context_tokens) if on_cuda else _cpu_model(setup, context_tokens)
    deterministic = not on_cuda or settings.arithmetic == "deterministic"
    limits = Limits(vocabulary, context_tokens)
    return NativeEngine(opened, profile, settings.max_streams, limits, deterministic)


def _device(settings: TokenSettings) -> str:
    if settings.device == "auto":
        return "cuda" if torch.cuda.is_available() and find_spec("triton") else "cpu"
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise SetupError("device cuda was asked for, and this PyTorch sees no CUDA device")
    if settings.device == "cuda" and settings.kernels == "triton" and not find_spec("triton"):
        raise SetupError("the CUDA kernels need Triton, which is not installed: pip install triton")
    return settings.device


def _cpu_model(setup: EngineSetup, context_tokens: int) -> Callable[[], FrameModel]:
    settings = setup.settings
    if settings.precision not in ("auto", "fp32"):
        raise SetupError(f"on the CPU the native engine computes in fp32, not in {settings.precision}")
    if settings.kv_cache_precision != "auto":
        raise SetupError("on the CPU the native engine keeps its cache in fp32")
    if settings.kv_cache_bytes:
        raise SetupError("on the CPU the native engine has a whole context for every place: leave kv_cache_bytes at 0")
    if settings.weights == "dummy":
        raise SetupError("on the CPU the native engine has no dummy weights")
    if settings.arithmetic == "fast":
        raise SetupError("on the CPU the native engine has deterministic arithmetic only")
    torch.set_num_threads(settings.threads)
    places = settings.max_streams + settings.reserve_streams
    return partial(TileModel.load, setup.folder, setup.profile, places, context_tokens)


def _cuda_model(setup: EngineSetup, context_tokens: int) -> Callable[[], FrameModel]:
    settings = setup.settings
    storage, dtype = _PRECISIONS[settings.precision]
    options = Options(
        places=settings.max_streams + settings.reserve_streams,
        context_tokens=context_tokens,
        storage=storage,
        dtype=dtype,
        cache_dtype=torch.float8_e4m3fn if settings.kv_cache_precision == "fp8" else dtype,
        cache_bytes=settings.kv_cache_bytes,
        deterministic=settings.arithmetic == "deterministic",
        dummy=settings.weights == "dummy",
        kernels=settings.kernels,
    )
    return partial(open_graph_model, setup.folder, setup.profile, options, torch.device("cuda"))
