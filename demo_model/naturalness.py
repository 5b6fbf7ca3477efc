"""DistillMOS: how natural a sound is, from 1 to 5, whatever it says. Its weights come inside the package."""

import contextlib
import io
import sys
import types
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

SAMPLE_RATE_HZ = 16_000


@cache
def model() -> Any:
    """The judge. The package asks for torchaudio only to read files, and no torchaudio fits every torch."""
    sys.modules.setdefault("torchaudio", types.ModuleType("torchaudio"))
    try:
        import distillmos
    except ImportError:
        raise SystemExit("DistillMOS is not installed; `make evaluate` and `make test-voice` install it") from None
    with contextlib.redirect_stdout(io.StringIO()):
        return distillmos.ConvTransformerSQAModel().eval()


@torch.inference_mode()
def naturalness(audio: npt.NDArray[np.float32]) -> float:
    """Audio at 16 kHz → its mean opinion score."""
    return float(model()(torch.from_numpy(audio)[None]))
