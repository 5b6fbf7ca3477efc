"""Which TensorRT-LLM is installed, and what follows from that; the contract behind it is in tests/engines/trtllm."""

import re
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from swara.errors import SetupError

OLDEST = (1, 2)
# The last one that loads engine directories, and the last whose own PyTorch sampler ignores penalties and seeds.
WITH_ENGINE_DIRECTORIES = (1, 2)


@dataclass(frozen=True)
class Release:
    """A version of TensorRT-LLM, by its first two numbers: that is where its interfaces change."""

    name: str
    number: tuple[int, int]

    @classmethod
    def installed(cls) -> "Release":
        """The one that is installed; raises SetupError for one that is too old or not to be loaded here."""
        try:
            name = str(import_module("tensorrt_llm").__version__)
        except (ImportError, OSError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[0]
            raise SetupError(f"TensorRT-LLM is installed but cannot be loaded here: {reason}") from None
        return cls.of(name)

    @classmethod
    def of(cls, name: str) -> "Release":
        """From a version such as 1.3.0rc29."""
        found = re.match(r"(\d+)\.(\d+)", name)
        number = (int(found[1]), int(found[2])) if found else (0, 0)
        if number < OLDEST:
            raise SetupError(f"TensorRT-LLM {name} is too old: 1.2.1 is the first that Swara runs on")
        return cls(name, number)

    @property
    def loads_engine_directories(self) -> bool:
        """Whether TensorRT engines that were built before can be loaded."""
        return self.number == WITH_ENGINE_DIRECTORIES

    @property
    def sampler(self) -> dict[str, Any]:
        """The argument for the sampler that honours penalties and seeds, where there is a choice."""
        return {"sampler_type": "TRTLLMSampler"} if self.number == (1, 2) else {}
