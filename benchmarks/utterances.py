"""Codes to decode: from files, or spoken by the demo model through the real services."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np

from audio_service.stream import Mode
from benchmarks.listening import TEXTS
from swara.channel import OPTIONS
from swara.errors import SetupError
from swara.frames import SLOTS, Codes, no_codes, unpack
from swara.stack import Stack
from swara.v1 import audio_service_pb2 as pb
from swara.v1 import token_service_pb2
from swara.v1.audio_service_pb2_grpc import AudioServiceStub

MODES = {
    Mode.EXACT: pb.DECODE_MODE_EXACT,
    Mode.EARLY: pb.DECODE_MODE_EARLY,
    Mode.REPORT: pb.DECODE_MODE_REPORT,
}
NO_LIMIT = 2**16


@dataclass(frozen=True)
class Spoken:
    """One utterance's codes [F, 7], and how long after the order its first PCM came."""

    codes: Codes
    first_pcm_seconds: float


def load(paths: Sequence[Path], codebook_size: int) -> list[Codes]:
    """The codes [F, 7] of each file; raises SetupError."""
    loaded = []
    for path in paths:
        try:
            codes = np.load(path)
        except OSError as error:
            raise SetupError(f"{path}: {error.strerror}") from None
        except (ValueError, EOFError):
            raise SetupError(f"{path} is not a .npy file of codes") from None
        if codes.ndim != 2 or codes.shape[1] != SLOTS or codes.dtype.kind not in "iu" or not len(codes):
            raise SetupError(f"{path} must hold whole numbers [frames, {SLOTS}], not {codes.dtype} {codes.shape}")
        if codes.min() < 0 or codes.max() >= codebook_size:
            raise SetupError(f"{path} holds codes outside the codec's codebook of {codebook_size}")
        loaded.append(codes.astype(np.uint16))
    return loaded


def speak(count: int, log: Path) -> tuple[list[Codes], dict[Mode, float]]:
    """The demo model's codes of so many texts, and each mode's median time to the first PCM in seconds."""
    with (
        log.open("w", encoding="utf-8") as lines,
        Stack.on_free_ports(sink=lambda line: print(line, file=lines, flush=True)) as stack,
        grpc.insecure_channel(stack.audio_address, options=OPTIONS) as channel,
    ):
        stub = AudioServiceStub(channel)
        _utterance(stub, TEXTS[0], 0, Mode.EXACT)  # the first request finds cold caches everywhere
        spoken = {mode: [_utterance(stub, TEXTS[k], k, mode) for k in range(count)] for mode in Mode}
    first = {mode: statistics.median(u.first_pcm_seconds for u in each) for mode, each in spoken.items()}
    return [utterance.codes for utterance in spoken[Mode.EXACT]], first


def _utterance(stub: AudioServiceStub, text: str, seed: int, mode: Mode) -> Spoken:
    order = pb.AudioServiceSynthesizeRequest(
        generate=token_service_pb2.GenerateRequest(request_id=f"quality-{mode.value}", text=text, seed=seed),
        decoding=pb.Decoding(mode=MODES[mode]),
    )
    began, first, codes = time.perf_counter(), 0.0, [no_codes()]
    for event in stub.Synthesize(order):
        if event.WhichOneof("event") == "chunk":
            first = first or (time.perf_counter() - began if event.chunk.pcm else 0.0)
            codes.append(unpack(event.chunk.frames.codes, NO_LIMIT))
    return Spoken(np.concatenate(codes), first)
