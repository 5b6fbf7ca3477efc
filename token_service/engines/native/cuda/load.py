"""From a checkpoint, or from nothing, to weights on the device: mapped files, one tensor at a time, no second copy."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from swara.errors import SetupError
from swara.profile import Profile
from token_service.engines.native.cuda.matrix import Matrix, Storage, stored
from token_service.engines.native.cuda.step import LayerMatrices, Model
from token_service.engines.native.weights import LayerWeights, LlamaShape, embedding_of, fused_layer, slot_heads

# Rows of a slot's output matrix are filled up to a multiple of this, so that loads stay wide.
_LOGITS_MULTIPLE = 64
_DUMMY_DEVIATION = 0.02


class MappedTensors(Mapping[str, Tensor]):
    """The tensors of a folder's safetensors files, read to the device when asked for."""

    def __init__(self, folder: Path, device: torch.device, files: ExitStack) -> None:
        self._files: dict[str, Any] = {}
        for path in sorted(folder.glob("*.safetensors")):
            try:
                file = files.enter_context(safe_open(path, framework="pt", device=str(device)))
            except SafetensorError as error:
                raise SetupError(f"{path} cannot be read: {error}") from None
            self._files |= dict.fromkeys(file.keys(), file)
        if not self._files:
            raise SetupError(f"{folder} has no safetensors file")

    def __getitem__(self, name: str) -> Tensor:
        tensor: Tensor = self._files[name].get_tensor(name)
        return tensor

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


class DummyTensors(Mapping[str, Tensor]):
    """Random weights of a shape, made on the device when asked for: for measuring without a checkpoint."""

    def __init__(self, shape: LlamaShape, device: torch.device, seed: int = 0) -> None:
        heads, kv = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
        hidden, mlp = shape.hidden, shape.mlp
        layer = {
            "self_attn.q_proj": (heads, hidden),
            "self_attn.k_proj": (kv, hidden),
            "self_attn.v_proj": (kv, hidden),
            "self_attn.o_proj": (hidden, heads),
            "mlp.gate_proj": (mlp, hidden),
            "mlp.up_proj": (mlp, hidden),
            "mlp.down_proj": (hidden, mlp),
            "input_layernorm": (hidden,),
            "post_attention_layernorm": (hidden,),
        }
        self._sizes: dict[str, tuple[int, ...]] = {
            f"model.layers.{k}.{name}.weight": size for k in range(shape.layers) for name, size in layer.items()
        }
        self._sizes |= {"model.embed_tokens.weight": (shape.vocabulary, hidden), "model.norm.weight": (hidden,)}
        if not shape.tied:
            self._sizes["lm_head.weight"] = (shape.vocabulary, hidden)
        self._device, self._generator = device, torch.Generator(device).manual_seed(seed)

    def __getitem__(self, name: str) -> Tensor:
        made = torch.empty(self._sizes[name], dtype=torch.bfloat16, device=self._device)
        if "norm" in name:
            return made.fill_(1.0)
        return made.normal_(0.0, _DUMMY_DEVIATION, generator=self._generator)

    def __iter__(self) -> Iterator[str]:
        return iter(self._sizes)

    def __len__(self) -> int:
        return len(self._sizes)


def logits_rows(codebook_size: int) -> int:
    """The rows of a slot's output matrix: its codes, END_OF_SPEECH, and zeros."""
    return -(-(codebook_size + 1) // _LOGITS_MULTIPLE) * _LOGITS_MULTIPLE


def load_model(
    shape: LlamaShape, tensors: Mapping[str, Tensor], profile: Profile, storage: Storage, dtype: torch.dtype
) -> Model:
    """The model on the tensors' device; raises KeyError with the name of a tensor that is not there."""
    embedding = embedding_of(shape, tensors).to(dtype)
    output = embedding if shape.tied else tensors["lm_head.weight"]
    norm = tensors["model.norm.weight"].float()
    layers = tuple(
        _on_device(fused_layer(f"model.layers.{k}.", tensors, shape), storage, dtype) for k in range(shape.layers)
    )
    heads = tuple(_padded(head.float() * norm, storage, dtype) for head in slot_heads(output, profile))
    return Model(embedding, layers, heads)


def _on_device(layer: LayerWeights, storage: Storage, dtype: torch.dtype) -> LayerMatrices:
    # A gate and what it gates side by side, so that one program has both.
    gate_up = layer.gate_up.unflatten(0, (2, -1)).transpose(0, 1).flatten(0, 1)
    weights = (layer.qkv, layer.out, gate_up, layer.down)
    return LayerMatrices(*(stored(weight, storage, dtype) for weight in weights))


def _padded(head: Tensor, storage: Storage, dtype: torch.dtype) -> Matrix:
    missing = logits_rows(head.shape[0] - 1) - head.shape[0]
    return stored(torch.nn.functional.pad(head, (0, 0, 0, missing)), storage, dtype)
