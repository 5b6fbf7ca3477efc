"""A model folder of Orpheus-3B's shape without weights, for engines that fill it with random ones."""

import json
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

BOS, BOS_ID = "<|begin_of_text|>", 128_000
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "torch_dtype": "bfloat16",
    "vocab_size": 156_940,
    "hidden_size": 3072,
    "intermediate_size": 8192,
    "num_hidden_layers": 28,
    "num_attention_heads": 24,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "hidden_act": "silu",
    "max_position_embeddings": 131_072,
    "rms_norm_eps": 1e-5,
    "rope_theta": 500_000.0,
    "rope_scaling": {
        "rope_type": "llama3",
        "factor": 32.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    },
    "tie_word_embeddings": True,
    "bos_token_id": BOS_ID,
    "eos_token_id": 128_009,
}


def write_orpheus_shape(folder: Path) -> Path:
    """Writes config.json and a tokenizer that knows a few words; the built-in profile `orpheus` fits it."""
    (folder / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    words = {"<unk>": 0, "tara": 1, ":": 2, "word": 3, "a": 4, ".": 5, BOS: BOS_ID}
    tokenizer = Tokenizer(WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(single=f"{BOS} $A", special_tokens=[(BOS, BOS_ID)])
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder
