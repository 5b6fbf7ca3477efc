"""A small Llama for training, with dropout; its parameter names are those of Hugging Face's LlamaForCausalLM."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Rotation = tuple[Tensor, Tensor]
Past = tuple[Tensor, Tensor]
INITIAL_DEVIATION = 0.02


def rotation_tables(length: int, head_dim: int, theta: float, device: torch.device | str) -> Rotation:
    """Cosines and sines of the rotary embedding, each [T, head_dim]."""
    frequencies = theta ** -(torch.arange(0, head_dim, 2, device=device).float() / head_dim)
    angles = torch.outer(torch.arange(length, device=device).float(), frequencies)
    angles = torch.cat([angles, angles], dim=-1)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, rotation: Rotation) -> Tensor:
    """Rotate `x` [B, H, T, D] by the tables [T, D] in Llama's half-split layout."""
    cos, sin = rotation
    first, second = x.chunk(2, dim=-1)
    return x * cos.to(x.dtype) + torch.cat([-second, first], dim=-1) * sin.to(x.dtype)


class Attention(nn.Module):
    """Grouped-query causal attention."""

    def __init__(self, config: dict[str, Any], dropout: float) -> None:
        super().__init__()
        width, self.head_dim = config["hidden_size"], config["head_dim"]
        self.heads, self.kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
        self.q_proj = nn.Linear(width, self.heads * self.head_dim, bias=False)
        self.k_proj = nn.Linear(width, self.kv_heads * self.head_dim, bias=False)
        self.v_proj = nn.Linear(width, self.kv_heads * self.head_dim, bias=False)
        self.o_proj = nn.Linear(self.heads * self.head_dim, width, bias=False)
        self.dropout = dropout

    def forward(self, x: Tensor, rotation: Rotation, past: Past | None = None) -> tuple[Tensor, Past]:
        """`x` [B, T, C], `past` keys and values [B, Hkv, P, D] → output [B, T, C] and the longer past."""
        batch, length, _ = x.shape
        q = rotate(self.q_proj(x).view(batch, length, self.heads, self.head_dim).transpose(1, 2), rotation)
        k = rotate(self.k_proj(x).view(batch, length, self.kv_heads, self.head_dim).transpose(1, 2), rotation)
        v = self.v_proj(x).view(batch, length, self.kv_heads, self.head_dim).transpose(1, 2)
        if past is not None:
            k, v = torch.cat([past[0], k], dim=2), torch.cat([past[1], v], dim=2)
        repeat = self.heads // self.kv_heads
        keys, values = k.repeat_interleave(repeat, dim=1), v.repeat_interleave(repeat, dim=1)
        dropout = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q, keys, values, is_causal=length > 1, dropout_p=dropout)
        return self.o_proj(y.transpose(1, 2).reshape(batch, length, -1)), (k, v)


class FeedForward(nn.Module):
    """SwiGLU."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        width, inner = config["hidden_size"], config["intermediate_size"]
        self.gate_proj = nn.Linear(width, inner, bias=False)
        self.up_proj = nn.Linear(width, inner, bias=False)
        self.down_proj = nn.Linear(inner, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, C] → [B, T, C]."""
        y: Tensor = self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
        return y


class Layer(nn.Module):
    """One pre-norm decoder layer; dropout falls on what it adds to the residual stream."""

    def __init__(self, config: dict[str, Any], dropout: float) -> None:
        super().__init__()
        width, eps = config["hidden_size"], config["rms_norm_eps"]
        self.self_attn = Attention(config, dropout)
        self.mlp = FeedForward(config)
        self.input_layernorm = nn.RMSNorm(width, eps)
        self.post_attention_layernorm = nn.RMSNorm(width, eps)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, rotation: Rotation, past: Past | None = None) -> tuple[Tensor, Past]:
        """[B, T, C] → [B, T, C] and this layer's keys and values."""
        attended, past = self.self_attn(self.input_layernorm(x), rotation, past)
        x = x + self.drop(attended)
        return x + self.drop(self.mlp(self.post_attention_layernorm(x))), past


class Body(nn.Module):
    """Everything under the name `model.`: the embedding, the layers, the last norm."""

    def __init__(self, config: dict[str, Any], dropout: float) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config["vocab_size"], config["hidden_size"])
        self.layers = nn.ModuleList(Layer(config, dropout) for _ in range(config["num_hidden_layers"]))
        self.norm = nn.RMSNorm(config["hidden_size"], config["rms_norm_eps"])
        self.drop = nn.Dropout(dropout)

    def forward(self, ids: Tensor, rotation: Rotation, past: list[Past] | None) -> tuple[Tensor, list[Past]]:
        """`ids` [B, T] → final hidden states [B, T, C] and each layer's keys and values."""
        x, fresh = self.drop(self.embed_tokens(ids)), []
        for index, layer in enumerate(self.layers):
            x, kept = layer(x, rotation, past[index] if past else None)
            fresh.append(kept)
        return self.norm(x), fresh


class Llama(nn.Module):
    """Token ids to hidden states and next-token logits, with the head tied to the embedding."""

    def __init__(self, config: dict[str, Any], dropout: float = 0.0) -> None:
        super().__init__()
        self.config = config
        self.model = Body(config, dropout)
        shrunk = INITIAL_DEVIATION / (2 * config["num_hidden_layers"]) ** 0.5
        for name, parameter in self.named_parameters():
            if parameter.ndim > 1:
                into_residual = name.endswith(("o_proj.weight", "down_proj.weight"))
                nn.init.normal_(parameter, std=shrunk if into_residual else INITIAL_DEVIATION)

    @property
    def embeddings(self) -> Tensor:
        """The tied matrix [V, C]."""
        return self.model.embed_tokens.weight

    def forward(self, ids: Tensor, past: list[Past] | None = None) -> tuple[Tensor, list[Past]]:
        """`ids` [B, T] → final hidden states [B, T, C] and each layer's keys and values."""
        start, length = past[0][0].shape[2] if past else 0, ids.shape[1]
        cos, sin = rotation_tables(start + length, self.config["head_dim"], self.config["rope_theta"], ids.device)
        hidden, kept = self.model(ids, (cos[start:], sin[start:]), past)
        return hidden, kept

    def logits(self, hidden: Tensor, first: int = 0, last: int | None = None) -> Tensor:
        """Hidden states [..., C] → logits [..., last - first] over the ids first..last-1."""
        return F.linear(hidden, self.embeddings[first:last])
