"""Quantization with NVIDIA ModelOpt, whose copies TensorRT-LLM and vLLM load; runs on a CPU too, slowly."""

import copy
from pathlib import Path
from typing import Any

import torch

from swara.errors import SetupError

RECIPES = {"fp8": "FP8_DEFAULT_CFG", "int8": "INT8_WEIGHT_ONLY_CFG", "int4-awq": "INT4_AWQ_CFG"}


def quantized(model: Any, precision: str, kv_cache: str, prompts: list[list[int]]) -> Any:
    """The model with its layers quantized in place, calibrated on these ids; head and embedding stay as they are."""
    mtq = _quantization()
    recipe = copy.deepcopy(getattr(mtq, RECIPES[precision]))
    if kv_cache == "fp8":
        recipe = mtq.utils.update_quant_cfg_with_kv_cache_quant(recipe, mtq.FP8_KV_CFG["quant_cfg"])

    def speak_along(subject: Any) -> None:
        for ids in prompts:
            subject(input_ids=torch.tensor([ids], device=subject.device))

    with torch.inference_mode():
        return mtq.quantize(model, recipe, forward_loop=speak_along)


def export(model: Any, into: Path) -> None:
    """Writes a Hugging Face folder with hf_quant_config.json."""
    _quantization()
    from modelopt.torch.export import export_hf_checkpoint

    with torch.inference_mode():
        export_hf_checkpoint(model, export_dir=into)


def _quantization() -> Any:
    try:
        import modelopt.torch.quantization as mtq
    except ImportError as error:
        raise SetupError(
            f"quantizing needs the package nvidia-modelopt ({error.name} is missing): "
            "pip install '.[quantize]' in Swara's folder"
        ) from None
    return mtq
