"""The shapes and ids of the demo model: one place, read by training and export alike."""

from typing import Any, Final

SAMPLE_RATE_HZ: Final = 24_000
SAMPLES_PER_FRAME: Final = 2_048
SLOTS: Final = 7
CODEBOOK_SIZE: Final = 1_024

CODEC_CONFIG: Final[dict[str, Any]] = {
    "sampling_rate": SAMPLE_RATE_HZ,
    "encoder_dim": 24,
    "encoder_rates": [2, 4, 8, 8],
    "decoder_dim": 384,
    "decoder_rates": [8, 8, 4, 2],
    "attn_window_size": None,
    "codebook_size": CODEBOOK_SIZE,
    "codebook_dim": 8,
    "vq_strides": [4, 2, 1],
    "noise": True,
    "depthwise": True,
}

SPECIAL_TOKENS: Final = (
    "<pad>",
    "<unk>",
    "<bos>",
    "<start_of_human>",
    "<end_of_text>",
    "<end_of_human>",
    "<start_of_ai>",
    "<start_of_speech>",
    "<end_of_speech>",
)
PAD, UNK, BOS, START_OF_HUMAN, END_OF_TEXT, END_OF_HUMAN, START_OF_AI, START_OF_SPEECH, END_OF_SPEECH = range(9)

FIRST_CHARACTER_ID: Final = 16
CODE_BASE_ID: Final = 256
VOCABULARY_SIZE: Final = CODE_BASE_ID + SLOTS * CODEBOOK_SIZE
MAX_CONTEXT_TOKENS: Final = 2_048

PROMPT_PREFIX_IDS: Final = [START_OF_HUMAN]
PROMPT_SUFFIX_IDS: Final = [END_OF_TEXT, END_OF_HUMAN, START_OF_AI, START_OF_SPEECH]

LANGUAGE_MODEL_CONFIG: Final[dict[str, Any]] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": VOCABULARY_SIZE,
    "hidden_size": 256,
    "intermediate_size": 704,
    "num_hidden_layers": 8,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "hidden_act": "silu",
    "max_position_embeddings": MAX_CONTEXT_TOKENS,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10_000.0,
    "attention_bias": False,
    "mlp_bias": False,
    "tie_word_embeddings": True,
    "initializer_range": 0.02,
    "bos_token_id": BOS,
    "eos_token_id": END_OF_SPEECH,
    "pad_token_id": PAD,
    "torch_dtype": "float16",
    "use_cache": True,
}

TEACHER_VOICES: Final = {"hf_alpha": "asha", "hm_omega": "kabir", "af_heart": "nina"}
"""Kokoro's voice name to the name that the prompt carries."""
LANGUAGES: Final = {"asha": "hi", "kabir": "hi", "nina": "en"}
"""What each voice is taught to speak; the profile lists those that the shipped language model has learned."""

PROFILE: Final[dict[str, Any]] = {
    "name": "swara-demo-hi",
    "prompt_template": "{voice}: {text}",
    "add_bos": True,
    "prompt_prefix_ids": PROMPT_PREFIX_IDS,
    "prompt_suffix_ids": PROMPT_SUFFIX_IDS,
    "end_of_speech_id": END_OF_SPEECH,
    "code_base_id": CODE_BASE_ID,
    "slots": SLOTS,
    "codebook_size": CODEBOOK_SIZE,
    "sample_rate_hz": SAMPLE_RATE_HZ,
    "samples_per_frame": SAMPLES_PER_FRAME,
    "codec": "../codec",
    "voices": [
        {"name": "asha", "language": "hi", "description": "Female, calm; learned from Kokoro-82M's hf_alpha."},
        {"name": "kabir", "language": "hi", "description": "Male, even; learned from Kokoro-82M's hm_omega."},
    ],
    "languages": ["hi"],
    "scripts": ["Devanagari"],
    "sampling": {"temperature": 0.6, "top_k": 0, "top_p": 0.9, "repetition_penalty": 1.0},
    "max_text_characters": 160,
    "closing_mark": "।",
    "max_context_tokens": MAX_CONTEXT_TOKENS,
    "runaway_frames": {"base": 16, "per_character": 2.0},
}
