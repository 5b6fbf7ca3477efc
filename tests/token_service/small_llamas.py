"""Small random Llamas as the CUDA path has them, on the CPU: their weights, their memory, and steps to run."""

from dataclasses import dataclass, replace

import torch

from swara.profile import Profile, RunawayFrames, Voice
from swara.speech import Sampling
from token_service.engines.native.cuda.layout import PAGE_TOKENS
from token_service.engines.native.cuda.load import DummyTensors, load_model
from token_service.engines.native.cuda.matrix import Storage
from token_service.engines.native.cuda.memory import Memory
from token_service.engines.native.cuda.plain import PlainKernels
from token_service.engines.native.cuda.step import Model
from token_service.engines.native.weights import LlamaShape

CPU = torch.device("cpu")
CONTEXT_TOKENS = 256
PROFILE = Profile(
    name="small",
    prompt_template="{text}",
    add_bos=False,
    prompt_prefix_ids=(1,),
    prompt_suffix_ids=(2,),
    end_of_speech_id=3,
    code_base_id=16,
    slots=7,
    codebook_size=32,
    sample_rate_hz=24_000,
    samples_per_frame=2048,
    codec="",
    voices=(Voice("a", "en"),),
    languages=("en",),
    sampling=Sampling(0.6, 0, 0.9, 1.1),
    max_text_characters=100,
    max_context_tokens=CONTEXT_TOKENS,
    closing_mark="",
    runaway_frames=RunawayFrames(10, 1),
)
SHAPE = LlamaShape(
    layers=2,
    hidden=96,
    heads=6,
    kv_heads=2,
    head_dim=32,
    mlp=80,
    vocabulary=16 + 7 * 32,
    norm_epsilon=1e-5,
    rope_theta=10_000.0,
    rope_scaling=None,
    tied=True,
)


@dataclass(frozen=True)
class Small:
    """A model, its memory, and the plain kernels over both."""

    model: Model
    memory: Memory
    plain: PlainKernels


def tensors(shape: LlamaShape = SHAPE) -> dict[str, torch.Tensor]:
    """Weights that make logits differ: larger than those of a model to be trained."""
    dummy = DummyTensors(shape, CPU)
    made = {name: dummy[name].float() * 5 for name in dummy}
    return made | {name: torch.rand(made[name].shape) + 0.5 for name in made if "norm" in name}


def small(
    slots: int = 6,
    rows: int = 16,
    storage: Storage = Storage.WHOLE,
    dtype: torch.dtype = torch.float32,
    cache_dtype: torch.dtype = torch.float32,
    profile: Profile = PROFILE,
) -> Small:
    """A model whose activations are of this type, and memory for so many streams and rows of a step."""
    torch.manual_seed(7)
    model = load_model(SHAPE, tensors(), profile, storage, dtype)
    per_slot = CONTEXT_TOKENS // PAGE_TOKENS
    memory = Memory(
        SHAPE, profile.codebook_size, model.slot_heads[0].rows, slots, 1 + slots * per_slot, CONTEXT_TOKENS, rows,
        CPU, dtype, cache_dtype,
    )  # fmt: skip
    # Pages in no order: nothing may rely on neighbours.
    order = torch.randperm(slots * per_slot) + 1
    memory.table[1:] = order.view(slots, per_slot)[1:].int()
    return Small(model, memory, PlainKernels(memory, model.embedding, profile.code_base_id))


def untied() -> LlamaShape:
    """The shape with an output matrix of its own."""
    return replace(SHAPE, tied=False)
