"""A stand-in for TensorRT-LLM: its recorded contract, and no more, over a real tiny model on the CPU."""

from .contract import release
from .llm import LLM
from .sampling_params import SamplingParams

__version__ = release().version
__all__ = ["LLM", "SamplingParams"]
