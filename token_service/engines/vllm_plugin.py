"""What vLLM finds by the entry point `vllm.general_plugins`, in its own processes and in any stock server of it.

A stock server serves a model with the slot mask by `--hf-overrides` with what `grammar_overrides` returns.
"""

from typing import Any

from swara.profile import Profile

ARCHITECTURE = "SwaraForCausalLM"
ENTRY_POINT_GROUP = "vllm.general_plugins"


def register() -> None:
    """Tells vLLM of our model class; vLLM imports the class itself only in the process that runs it."""
    from vllm import ModelRegistry

    ModelRegistry.register_model(ARCHITECTURE, "token_service.engines.vllm_model:SwaraForCausalLM")


def grammar_overrides(profile: Profile) -> dict[str, Any]:
    """What config.json must say beside the shape, for the class to know the grammar."""
    return {
        "architectures": [ARCHITECTURE],
        "eos_token_id": profile.end_of_speech_id,
        "swara_end_id": profile.end_of_speech_id,
        "swara_code_base_id": profile.code_base_id,
        "swara_codebook_size": profile.codebook_size,
        "swara_slots": profile.slots,
    }
