"""From a model folder to a model on the device that is ready to speak; or a sentence that says why it does not fit."""

import logging
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from swara.errors import SetupError
from swara.ladder import ladder
from swara.profile import Profile
from token_service.checkpoint import read_config
from token_service.engines.native.cuda.graph_model import READ_ROWS, GraphModel
from token_service.engines.native.cuda.layout import PAGE_TOKENS
from token_service.engines.native.cuda.load import DummyTensors, MappedTensors, load_model, logits_rows
from token_service.engines.native.cuda.matrix import Storage
from token_service.engines.native.cuda.memory import Memory
from token_service.engines.native.cuda.pages import Pages
from token_service.engines.native.cuda.plain import PlainKernels
from token_service.engines.native.cuda.step import Kernels, Model
from token_service.engines.native.weights import LlamaShape

log = logging.getLogger(__name__)

# What graphs, libraries and the scratch memory of a step take beside weights and cache.
OTHER_BYTES = 2 * 1024**3
# Programs of one kernel may start while the one before ends from this compute capability on.
EARLY_CAPABILITY = (9, 0)


@dataclass(frozen=True)
class Options:
    """How a model is opened. `places`: streams at once; `cache_bytes` 0 takes what all of them need at full context, or
    what is left. `deterministic` cuts every batch the same way; `kernels` torch is slow and needs no Triton; `tuned`
    replaces the tables of tiles.py.
    """

    places: int
    context_tokens: int
    storage: Storage = Storage.WHOLE
    dtype: torch.dtype = torch.bfloat16
    cache_dtype: torch.dtype = torch.bfloat16
    cache_bytes: int = 0
    deterministic: bool = False
    dummy: bool = False
    kernels: Literal["triton", "torch"] = "triton"
    read_rows: tuple[int, ...] = READ_ROWS
    tuned: dict[Any, Any] = field(default_factory=dict)


def open_graph_model(folder: Path, profile: Profile, options: Options, device: torch.device) -> GraphModel:
    """Loads weights, takes all memory, compiles and captures; raises SetupError with a sentence."""
    shape = LlamaShape.of(read_config(folder))
    with ExitStack() as files:
        tensors: Mapping[str, Tensor] = (
            DummyTensors(shape, device) if options.dummy else MappedTensors(folder, device, files)
        )
        try:
            return opened(shape, tensors, profile, options, device)
        except KeyError as error:
            raise SetupError(f"the checkpoint in {folder} has no tensor {error.args[0]}") from None


@torch.inference_mode()
def opened(
    shape: LlamaShape, tensors: Mapping[str, Tensor], profile: Profile, options: Options, device: torch.device
) -> GraphModel:
    """The model of these tensors."""
    began = time.perf_counter()
    _check_weights(shape, options, device)
    model = load_model(shape, tensors, profile, options.storage, options.dtype)
    loaded = _now(device)
    memory, pages = _memory(shape, model, profile, options, device)
    kernels = _kernels(model, memory, profile, options, device)
    compiled = _now(device)
    made = GraphModel(model, memory, kernels, pages, options.places, options.read_rows)
    capture_seconds = made.capture()
    log.info(
        "weights %.2f GB in %.1f s; cache %.2f GB, %d tokens; kernels %s compiled in %.1f s; graphs captured in %.1f s",
        model.nbytes / 1e9, loaded - began, sum(part.nbytes for part in memory.cache) / 1e9, pages.free_tokens,
        options.kernels, compiled - loaded, capture_seconds,
    )  # fmt: skip
    return made


def page_bytes(shape: LlamaShape, cache_dtype: torch.dtype) -> int:
    """What one page takes in all layers."""
    return shape.layers * 2 * shape.kv_heads * PAGE_TOKENS * shape.head_dim * cache_dtype.itemsize


def weight_bytes(shape: LlamaShape, options: Options, codebook_size: int = 4096) -> int:
    """What the weights will take."""
    heads = (2 * shape.heads + 2 * shape.kv_heads) * shape.head_dim
    layer = shape.hidden * (heads + 3 * shape.mlp)
    stored = shape.layers * layer + 7 * logits_rows(codebook_size) * shape.hidden
    each = options.dtype.itemsize if options.storage is Storage.WHOLE else 1
    return stored * each + shape.vocabulary * shape.hidden * options.dtype.itemsize


def pages_that_fit(shape: LlamaShape, options: Options, free_bytes: int) -> int:
    """How many pages the cache gets, with the one that belongs to nobody; raises SetupError with the numbers."""
    each = page_bytes(shape, options.cache_dtype)
    context_pages = -(-options.context_tokens // PAGE_TOKENS)
    if options.cache_bytes > free_bytes:
        raise SetupError(
            f"a cache of {options.cache_bytes / 1e9:.2f} GB does not fit: beside the weights and "
            f"{OTHER_BYTES / 1e9:.1f} GB for everything else, {free_bytes / 1e9:.2f} GB are free"
        )
    pages = min(1 + options.places * context_pages, (options.cache_bytes or free_bytes) // each)
    if pages < 1 + context_pages:
        raise SetupError(
            f"the cache would hold {max(0, pages - 1) * PAGE_TOKENS} tokens, and one stream may need "
            f"{options.context_tokens}: give it at least {(1 + context_pages) * each / 1e9:.2f} GB or less context"
        )
    return pages


def _check_weights(shape: LlamaShape, options: Options, device: torch.device) -> None:
    needed, free = weight_bytes(shape, options), _free_bytes(device)
    if needed > free:
        raise SetupError(
            f"the weights take {needed / 1e9:.2f} GB, and beside {OTHER_BYTES / 1e9:.1f} GB for everything else only "
            f"{max(0, free) / 1e9:.2f} GB of {device} are free"
        )


def _free_bytes(device: torch.device) -> int:
    """What weights and cache may take."""
    if device.type != "cuda":
        return 2**62
    torch.cuda.empty_cache()
    return torch.cuda.mem_get_info(device)[0] - OTHER_BYTES


def _memory(
    shape: LlamaShape, model: Model, profile: Profile, options: Options, device: torch.device
) -> tuple[Memory, Pages]:
    pages = pages_that_fit(shape, options, _free_bytes(device))
    slots = 1 + options.places
    memory = Memory(
        shape, profile.codebook_size, model.slot_heads[0].rows, slots, pages, options.context_tokens,
        max(options.places, *options.read_rows), device, options.dtype, options.cache_dtype,
    )  # fmt: skip
    return memory, Pages(slots, pages)


def _kernels(model: Model, memory: Memory, profile: Profile, options: Options, device: torch.device) -> Kernels:
    if options.kernels == "torch":
        return PlainKernels(memory, model.embedding, profile.code_base_id)
    from token_service.engines.native.cuda.fused import FusedKernels  # Triton may not be installed
    from token_service.engines.native.cuda.tiles import TUNED, TUNED_EIGHT_BIT, Fast, Steady

    quantised = options.storage is not Storage.WHOLE
    tuned = options.tuned or (TUNED_EIGHT_BIT if quantised else TUNED)
    tiling = Steady() if options.deterministic else Fast(tuned, quantised)
    early = device.type == "cuda" and torch.cuda.get_device_capability(device) >= EARLY_CAPABILITY
    most = max(options.places, *options.read_rows)
    kernels = FusedKernels(memory, model.embedding, profile.code_base_id, tiling, early, most)
    rungs = sorted({*ladder(options.places), *options.read_rows})
    kernels.prepare(model, memory, rungs)
    return kernels


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
