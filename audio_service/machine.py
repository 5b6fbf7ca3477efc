"""Which decoder runs on which device, behind one face for the batcher."""

from dataclasses import dataclass

import torch

from audio_service.batcher import Limits, Rows
from audio_service.codec import Codec
from audio_service.decoder import Decoder
from audio_service.rows import Rows as PlainRows
from audio_service.settings import AudioSettings
from audio_service.stream import Delays
from swara.errors import SetupError


@dataclass(frozen=True)
class Machine:
    """A decoder with room for every stream, and the facts about it that others need."""

    rows: Rows
    delays: Delays
    state_bytes: int


def machine(settings: AudioSettings, codec: Codec, limits: Limits) -> Machine:
    """The decoder for the device in the settings; raises SetupError where this host has none such."""
    # TF32 would cost law 1 its 1e-4; where it is wanted, `precision` says so.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    if settings.device == "cuda":
        return _cuda(settings, codec, limits)
    if settings.precision != AudioSettings.model_fields["precision"].default:
        raise SetupError(f"on the CPU the codec computes in fp32, not in {settings.precision}")
    decoder = Decoder(codec, torch.device("cpu"))
    delays = Delays(decoder.reach_samples, decoder.warm_up_samples)
    return Machine(PlainRows(decoder, limits.rows), delays, decoder.state_bytes)


def _cuda(settings: AudioSettings, codec: Codec, limits: Limits) -> Machine:
    if not torch.cuda.is_available():
        raise SetupError("device is cuda, but this machine's torch finds no CUDA device")
    try:
        # Imported here: Triton comes with PyTorch's CUDA builds only.
        from audio_service.fused.decoder import FusedDecoder
        from audio_service.fused.precision import Precision
        from audio_service.fused.rows import FusedRows
    except ImportError as error:
        raise SetupError(f"device is cuda, but Triton is not installed: {error}") from None
    decoder = FusedDecoder(codec, torch.device("cuda"), Precision[settings.precision.upper()])
    delays = Delays(decoder.reach_samples, decoder.warm_up_samples)
    return Machine(FusedRows(decoder, limits.rows, limits.step_frames), delays, decoder.state_bytes)
