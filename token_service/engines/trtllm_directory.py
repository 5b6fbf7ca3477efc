"""A TensorRT engine directory: compiled for one release, one kind of GPU and one shape, before it is served."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from swara.errors import SetupError
from token_service.engines.base import EngineSetup
from token_service.engines.trtllm_release import Release

# Written beside an engine by `swara-engine build`: what TensorRT-LLM's own config.json does not say.
ORIGIN = "swara-engine.json"


@dataclass(frozen=True)
class EngineDirectory:
    """What an engine was built for; `gpu` is empty where it was not built by `swara-engine build`."""

    release: str
    gpu: str
    max_seq_len: int
    max_batch_size: int
    tensor_parallel: int

    @classmethod
    def of(cls, folder: Path, config: dict[str, Any]) -> "EngineDirectory | None":
        """From its config.json; None for a folder that is a checkpoint; raises SetupError for half an engine."""
        if "pretrained_config" not in config or "build_config" not in config:
            return None
        if not any(folder.glob("rank*.engine")):
            raise SetupError(f"{folder} has the config.json of a TensorRT engine, but no rank0.engine")
        origin = folder / ORIGIN
        built = json.loads(origin.read_text(encoding="utf-8")) if origin.is_file() else {}
        return cls(
            release=str(config.get("version", "")),
            gpu=str(built.get("gpu", "")),
            max_seq_len=int(config["build_config"].get("max_seq_len") or 0),
            max_batch_size=int(config["build_config"].get("max_batch_size") or 0),
            tensor_parallel=int(config["pretrained_config"].get("mapping", {}).get("tp_size", 1)),
        )

    def check(self, release: Release, setup: EngineSetup) -> None:
        """Raises SetupError with a sentence where it cannot serve with these settings here."""
        if not release.loads_engine_directories:
            raise SetupError(
                f"TensorRT-LLM {release.name} loads no TensorRT engine directories, 1.2.1 was the last that does: "
                "serve the checkpoint itself"
            )
        if self.release and self.release != release.name:
            raise SetupError(f"this engine was built by TensorRT-LLM {self.release}, installed is {release.name}")
        if self.gpu and self.gpu != (here := installed_gpu()):
            raise SetupError(f"this engine was built for {self.gpu}, here is {here}")
        if setup.settings.kv_cache_precision != "auto":
            raise SetupError("the KV precision of an engine directory was fixed when it was built: leave it at auto")
        self._check_sizes(setup)

    def _check_sizes(self, setup: EngineSetup) -> None:
        places = setup.settings.max_streams + setup.settings.reserve_streams
        if self.max_batch_size and self.max_batch_size < places:
            raise SetupError(f"this engine runs {self.max_batch_size} streams, the settings ask for {places}")
        context = min(setup.settings.context_tokens, setup.profile.max_context_tokens)
        if self.max_seq_len and self.max_seq_len < context:
            raise SetupError(f"this engine holds {self.max_seq_len} tokens, the settings ask for {context}")


def installed_gpu() -> str:
    """The name of the first GPU; `no GPU` where there is none."""
    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no GPU"
