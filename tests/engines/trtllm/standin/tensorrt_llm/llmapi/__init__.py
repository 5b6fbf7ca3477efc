"""The configurations of the LLM API."""

from ..contract import FromContract, release


class KvCacheConfig(FromContract):
    """Memory for keys and values."""


class CudaGraphConfig(FromContract):
    """Which batches are captured."""


class NGramDecodingConfig(FromContract):
    """Drafts from what has been said."""


class TorchLlmArgs(FromContract):
    """The arguments of the LLM."""


class BuildConfig(FromContract):
    """How an engine directory is built; 1.2 only."""


class QuantConfig(FromContract):
    """How it is quantized; 1.2 only."""


if "Eagle3DecodingConfig" in release().fields:

    class Eagle3DecodingConfig(FromContract):
        """Drafts by a small model."""
