"""Frames: seven codes each, 2048 samples of PCM each, packed as little-endian uint16 on the wire."""

import numpy as np
from numpy.typing import NDArray

from swara.errors import InvalidRequest

SLOTS = 7
SAMPLES_PER_FRAME = 2048
SAMPLE_RATE_HZ = 24_000
FRAME_SECONDS = SAMPLES_PER_FRAME / SAMPLE_RATE_HZ
FRAME_BYTES = 2 * SLOTS

Codes = NDArray[np.uint16]
"""Codes of consecutive frames, shape [F, 7], each 0 <= code < codebook_size."""

LEVEL_SLOTS = ([0], [1, 4], [2, 3, 5, 6])
"""Which slots of a frame belong to each of the codec's three levels, in time order (Orpheus interleaving)."""


def no_codes() -> Codes:
    """Zero frames: shape [0, 7]."""
    return np.empty((0, SLOTS), np.uint16)


def pack(codes: Codes) -> bytes:
    """Codes [F, 7] as the wire's bytes, 14 a frame."""
    return codes.astype("<u2", copy=False).tobytes()


def unpack(data: bytes, codebook_size: int) -> Codes:
    """The wire's bytes as codes [F, 7]; raises InvalidRequest for a wrong length or a code outside the codebook."""
    if len(data) % FRAME_BYTES:
        raise InvalidRequest(f"codes must be whole frames of {FRAME_BYTES} bytes, got {len(data)} bytes")
    codes = np.frombuffer(data, "<u2").reshape(-1, SLOTS).astype(np.uint16)
    if codes.size and int(codes.max()) >= codebook_size:
        raise InvalidRequest(f"code {int(codes.max())} is outside the codebook of {codebook_size}")
    return codes


def levels(codes: Codes) -> tuple[Codes, Codes, Codes]:
    """Codes [F, 7] as the codec's three levels: [F], [2F] and [4F]."""
    first, second, third = (codes[:, slots].reshape(-1) for slots in LEVEL_SLOTS)
    return first, second, third
