"""Weights of a Llama checkpoint in the standard Hugging Face layout, fused for few large products.

Norm weights are folded into the products that follow them, q, k and v are one matrix, gate and up another, and the rows
of q and k are reordered so that the two halves of a rotary pair are neighbours, a complex number.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from swara.errors import SetupError
from swara.profile import Profile
from token_service.checkpoint import check_vocabulary, read_config


@dataclass(frozen=True)
class LlamaShape:
    """The numbers of a Llama config.json that the arithmetic needs."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    mlp: int
    vocabulary: int
    norm_epsilon: float
    rope_theta: float
    rope_scaling: dict[str, Any] | None
    tied: bool

    @classmethod
    def of(cls, config: dict[str, Any]) -> "LlamaShape":
        """Reads a config.json; raises SetupError for another architecture or a missing number."""
        if config.get("model_type") != "llama":
            raise SetupError(f"the native engine runs Llama checkpoints, this one is {config.get('model_type')!r}")
        rope = config.get("rope_parameters") or {}
        scaling = config.get("rope_scaling") or (rope if rope.get("rope_type", "default") != "default" else None)
        try:
            heads = config["num_attention_heads"]
            return cls(
                layers=config["num_hidden_layers"],
                hidden=config["hidden_size"],
                heads=heads,
                kv_heads=config.get("num_key_value_heads", heads),
                head_dim=config.get("head_dim") or config["hidden_size"] // heads,
                mlp=config["intermediate_size"],
                vocabulary=config["vocab_size"],
                norm_epsilon=config["rms_norm_eps"],
                rope_theta=config.get("rope_theta") or rope.get("rope_theta", 10_000.0),
                rope_scaling=scaling,
                tied=config.get("tie_word_embeddings", False),
            )
        except KeyError as error:
            raise SetupError(f"config.json has no {error.args[0]}") from None


@dataclass(frozen=True)
class LayerWeights:
    """One layer: qkv [(H + 2 KV) D, hidden], out [hidden, H D], gate_up [2 mlp, hidden], down [hidden, mlp]."""

    qkv: Tensor
    out: Tensor
    gate_up: Tensor
    down: Tensor


@dataclass(frozen=True)
class LlamaWeights:
    """All of a model.

    `heads` [7, codebook + 1, hidden] are the output rows of each slot, the last of them END_OF_SPEECH's.
    """

    shape: LlamaShape
    embedding: Tensor
    layers: tuple[LayerWeights, ...]
    heads: Tensor


def load_weights(folder: Path, profile: Profile) -> LlamaWeights:
    """Reads config.json and safetensors of a model folder as fp32; raises SetupError with a sentence."""
    shape = LlamaShape.of(read_config(folder))
    check_vocabulary(profile, shape.vocabulary)
    tensors = _read_tensors(folder)
    try:
        return _fuse(shape, tensors, profile)
    except KeyError as error:
        raise SetupError(f"the checkpoint in {folder} has no tensor {error.args[0]}") from None


def _read_tensors(folder: Path) -> dict[str, Tensor]:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise SetupError(f"{folder} has no safetensors file")
    tensors: dict[str, Tensor] = {}
    for path in files:
        try:
            with safe_open(path, framework="pt") as file:
                tensors |= {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        except SafetensorError as error:
            raise SetupError(f"{path} cannot be read: {error}") from None
    return tensors


def embedding_of(shape: LlamaShape, tensors: Mapping[str, Tensor]) -> Tensor:
    """The embedding [vocabulary, hidden]; raises SetupError where it has another shape than config.json says."""
    embedding = tensors["model.embed_tokens.weight"]
    if embedding.shape != (shape.vocabulary, shape.hidden):
        raise SetupError(
            f"the embedding is {tuple(embedding.shape)}, config.json says {shape.vocabulary, shape.hidden}"
        )
    return embedding


def _fuse(shape: LlamaShape, tensors: dict[str, Tensor], profile: Profile) -> LlamaWeights:
    embedding = embedding_of(shape, tensors)
    output = embedding if shape.tied else tensors["lm_head.weight"]
    return LlamaWeights(
        shape=shape,
        embedding=embedding,
        layers=tuple(fused_layer(f"model.layers.{k}.", tensors, shape) for k in range(shape.layers)),
        heads=slot_heads(output, profile) * tensors["model.norm.weight"],
    )


def fused_layer(prefix: str, tensors: Mapping[str, Tensor], shape: LlamaShape) -> LayerWeights:
    """The matrices of the layer whose tensors' names begin so, in fp32, where the tensors are."""

    def of(name: str) -> Tensor:
        return tensors[f"{prefix}{name}.weight"].float()

    queries = _paired(of("self_attn.q_proj"), shape.head_dim)
    keys = _paired(of("self_attn.k_proj"), shape.head_dim)
    attention_input = torch.cat([queries, keys, of("self_attn.v_proj")])
    mlp_input = torch.cat([of("mlp.gate_proj"), of("mlp.up_proj")])
    return LayerWeights(
        qkv=attention_input * of("input_layernorm"),
        out=of("self_attn.o_proj").contiguous(),
        gate_up=mlp_input * of("post_attention_layernorm"),
        down=of("mlp.down_proj").contiguous(),
    )


def _paired(weight: Tensor, head_dim: int) -> Tensor:
    """Rows [heads * head_dim, hidden] with i and i + head_dim / 2 of each head brought together."""
    halves = weight.view(-1, 2, head_dim // 2, weight.shape[1])
    return halves.transpose(1, 2).reshape(weight.shape)


def slot_heads(output: Tensor, profile: Profile) -> Tensor:
    """The rows of the output matrix [vocabulary, hidden] that each slot can yield: [7, codebook + 1, hidden]."""
    end = output[profile.end_of_speech_id : profile.end_of_speech_id + 1]
    size = profile.codebook_size
    starts = [profile.code_base_id + slot * size for slot in range(profile.slots)]
    return torch.stack([torch.cat([output[start : start + size], end]) for start in starts]).contiguous()


def rope_frequencies(shape: LlamaShape) -> Tensor:
    """Rotary angles a position, [head_dim / 2] fp32, with Llama 3's long-context scaling where the config has it."""
    exponent = torch.arange(0, shape.head_dim, 2, dtype=torch.float32) / shape.head_dim
    frequency = torch.pow(shape.rope_theta, -exponent)
    scaling = shape.rope_scaling
    if not scaling:
        return frequency
    kind = scaling.get("rope_type", scaling.get("type"))
    if kind != "llama3":
        raise SetupError(f"rope scaling {kind!r} is not supported, only llama3")
    return _llama3_scaled(frequency, scaling)


def _llama3_scaled(frequency: Tensor, scaling: dict[str, Any]) -> Tensor:
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    turns = scaling["original_max_position_embeddings"] * frequency / (2 * math.pi)
    share = ((turns - low) / (high - low)).clamp(0, 1)
    scaled: Tensor = frequency * (share + (1 - share) / scaling["factor"])
    return scaled
