"""Engine directories: what TensorRT-LLM 1.2 writes into config.json, and the stand-in's key for the checkpoint."""

import json
import shutil
from pathlib import Path

from tests.engines.requests import CONTEXT_TOKENS, DEMO, PLACES


def engine_directory(folder: Path, version: str, gpu: str = "", places: int = PLACES) -> Path:
    """A directory for the demo model with an empty engine file."""
    folder.mkdir()
    for name in ("profile.json", "tokenizer.json"):
        shutil.copy(DEMO / name, folder / name)
    demo = json.loads((DEMO / "config.json").read_text(encoding="utf-8"))
    shape = {key: demo[key] for key in ("num_hidden_layers", "hidden_size", "intermediate_size", "vocab_size")}
    shape |= {"num_attention_heads": 4, "num_key_value_heads": 2, "head_size": 64, "dtype": "float16"}
    shape |= {"mapping": {"tp_size": 1}, "quantization": {"quant_algo": None, "kv_cache_quant_algo": None}}
    build = {"max_seq_len": CONTEXT_TOKENS, "max_batch_size": places}
    config = {"version": version, "pretrained_config": shape, "build_config": build, "standin_checkpoint": str(DEMO)}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "rank0.engine").touch()
    if gpu:
        (folder / "swara-engine.json").write_text(json.dumps({"gpu": gpu}), encoding="utf-8")
    return folder
