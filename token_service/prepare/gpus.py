"""What a GPU can hold and how many real-time streams it can carry, from shapes alone."""

from dataclasses import dataclass

from swara.frames import FRAME_SECONDS, SLOTS
from token_service.footprint import Footprint

GIB = 1024**3
# Of the memory, what the driver, CUDA graphs and activations leave to weights and KV.
USABLE_SHARE = 0.9
# The codec beside: its decoder is 13 M parameters in fp32, its state half a megabyte a stream, its step's activations.
CODEC_BYTES = 1.0 * GIB
CODEC_STREAM_BYTES = 0.5e6
# A decode step reads at this share of the data sheet's bandwidth; engines were measured below it, docs/engines.md.
READ_SHARE = 0.8
TOKENS_A_SECOND = SLOTS / FRAME_SECONDS
# A stream of this length is the average one while it speaks.
CONTEXT_TOKENS = 700


@dataclass(frozen=True)
class Gpu:
    """Memory in bytes, bandwidth in bytes a second, and whether it multiplies in fp8."""

    name: str
    memory_bytes: float
    bandwidth_bytes: float
    fp8: bool


# Bandwidths from NVIDIA's data sheets.
GPUS = (
    Gpu("L4 24 GB", 24e9, 300e9, True),
    Gpu("A100 40 GB", 40e9, 1555e9, False),
    Gpu("A100 80 GB", 80e9, 2039e9, False),
    Gpu("H100 80 GB", 80e9, 3350e9, True),
    Gpu("H200 141 GB", 141e9, 4800e9, True),
)


@dataclass(frozen=True)
class Fit:
    """Streams a GPU can carry: by memory at full context, by bandwidth at the average one; 0 where it cannot."""

    gpu: Gpu
    by_memory: int
    by_bandwidth: int
    tokens_a_second: float

    @property
    def streams(self) -> int:
        """The smaller of the two."""
        return min(self.by_memory, self.by_bandwidth)


def fit(gpu: Gpu, model: Footprint, precision: str, kv_precision: str, context_tokens: int) -> Fit:
    """How many streams one GPU carries, model and codec both resident."""
    kv_bytes = model.kv_token_bytes(kv_precision)
    left = gpu.memory_bytes * USABLE_SHARE - model.weight_bytes(precision) - CODEC_BYTES
    by_memory = int(left / (context_tokens * kv_bytes + CODEC_STREAM_BYTES))
    stream_bytes = CONTEXT_TOKENS * kv_bytes
    read_a_second = gpu.bandwidth_bytes * READ_SHARE
    by_bandwidth = int((read_a_second / TOKENS_A_SECOND - model.read_bytes(precision)) / stream_bytes)
    alone = read_a_second / (model.read_bytes(precision) + stream_bytes)
    return Fit(gpu, max(0, by_memory), max(0, by_bandwidth), alone)
