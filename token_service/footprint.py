"""How much memory a model of a given shape takes, from its numbers alone."""

from dataclasses import dataclass
from typing import Any

from swara.errors import SetupError

# Bytes of one value by precision; int4 carries a 2-byte scale for every 128 weights.
VALUE_BYTES = {"fp32": 4.0, "fp16": 2.0, "bf16": 2.0, "fp8": 1.0, "int8": 1.0, "int4": 0.5 + 2 / 128}
DTYPES = {"float32": "fp32", "float16": "fp16", "bfloat16": "bf16"}


def own_precision(config: dict[str, Any]) -> str:
    """The precision that a config.json says its weights have; bf16 where it says nothing."""
    name = str(config.get("dtype") or config.get("torch_dtype") or "bfloat16").removeprefix("torch.")
    return DTYPES.get(name, name)


@dataclass(frozen=True)
class Footprint:
    """The counts of a Llama checkpoint that decide its memory; sizes in values, not bytes."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    inner: int
    vocabulary: int
    tied: bool

    @classmethod
    def of(cls, config: dict[str, Any]) -> "Footprint":
        """From a config.json; raises SetupError where it is no Llama or a number is missing."""
        if config.get("model_type", "llama") != "llama":
            raise SetupError(f"this is a {config['model_type']!r} checkpoint; Orpheus models are Llama")
        try:
            heads = int(config["num_attention_heads"])
            return cls(
                layers=int(config["num_hidden_layers"]),
                hidden=int(config["hidden_size"]),
                heads=heads,
                kv_heads=int(config.get("num_key_value_heads") or heads),
                head_dim=int(config.get("head_dim") or config.get("head_size") or config["hidden_size"] // heads),
                inner=int(config["intermediate_size"]),
                vocabulary=int(config["vocab_size"]),
                tied=bool(config.get("tie_word_embeddings", False)),
            )
        except KeyError as error:
            raise SetupError(f"config.json has no {error.args[0]}") from None

    @property
    def layer_values(self) -> int:
        """Weights of all layers, norms left out: they are a ten-thousandth."""
        attention = self.hidden * self.head_dim * (2 * self.heads + 2 * self.kv_heads)
        return self.layers * (attention + 3 * self.hidden * self.inner)

    @property
    def head_values(self) -> int:
        """Weights of the output head, which a tied model shares with its embedding."""
        return self.vocabulary * self.hidden

    def weight_bytes(self, precision: str) -> float:
        """Resident weights: layers in this precision; embedding and head stay at 16 bits, as in every engine."""
        outer = self.head_values if self.tied else 2 * self.head_values
        outer_bytes = VALUE_BYTES[precision] if precision in ("fp32", "fp16", "bf16") else VALUE_BYTES["bf16"]
        return self.layer_values * VALUE_BYTES[precision] + outer * outer_bytes

    def read_bytes(self, precision: str) -> float:
        """Weights that every decode step reads: the layers and the whole head, but not the embedding."""
        head_bytes = VALUE_BYTES[precision] if precision in ("fp32", "fp16", "bf16") else VALUE_BYTES["bf16"]
        return self.layer_values * VALUE_BYTES[precision] + self.head_values * head_bytes

    def kv_token_bytes(self, precision: str) -> float:
        """Keys and values of one token of one stream."""
        return 2 * self.layers * self.kv_heads * self.head_dim * VALUE_BYTES[precision]
