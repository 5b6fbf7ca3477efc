"""`swara decode`: codes of one's own into a WAV file, through an audio service."""

import argparse
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import grpc
import numpy as np

from swara.channel import OPTIONS
from swara.frames import FRAME_SECONDS, SAMPLE_RATE_HZ, SLOTS, Codes
from swara.pcm import Samples, from_bytes
from swara.v1 import audio_service_pb2 as audio_pb2
from swara.v1.audio_service_pb2_grpc import AudioServiceStub
from swara.wire import frames_message
from swara_client.errors import InvalidRequest, from_status
from swara_client.show import Bar, note
from swara_client.wav import WavFile

DEFAULT_AUDIO_ADDRESS = "127.0.0.1:50052"
MODES = {
    "exact": audio_pb2.DECODE_MODE_EXACT,
    "early": audio_pb2.DECODE_MODE_EARLY,
    "report": audio_pb2.DECODE_MODE_REPORT,
}
NOISES = {"seeded": audio_pb2.NOISE_MODE_SEEDED, "off": audio_pb2.NOISE_MODE_OFF}
# A message of this many frames holds more than a step of the decoder takes, and a second and a half of audio.
BLOCK_FRAMES = 16
MAX_CODE = 2**16 - 1


@dataclass(frozen=True)
class Decoding:
    """How codes become PCM: the key of the codec's noise, how much lookahead a sample waits for, noise or none."""

    seed: int = 0
    mode: Literal["exact", "early", "report"] = "exact"
    noise: Literal["seeded", "off"] = "seeded"


def decode(given: argparse.Namespace) -> int:
    """Runs the command; returns its exit code."""
    if given.output == "-" and sys.stdout.isatty():
        raise InvalidRequest("stdout is a terminal; send the WAV to a file or a program, or give a file's name")
    codes = load_codes(given.codes)
    decoding = Decoding(given.seed, given.mode, given.noise)
    began, count = time.perf_counter(), 0
    with WavFile(given.output, SAMPLE_RATE_HZ) as file, Bar(len(codes) * FRAME_SECONDS) as bar:
        for samples in decoded(codes, decoding, given.audio_address, given.timeout):
            file.write(samples)
            count += len(samples)
            bar.update(count / SAMPLE_RATE_HZ, time.perf_counter() - began)
    seconds, passed = count / SAMPLE_RATE_HZ, time.perf_counter() - began
    note(f"{len(codes)} frames, {seconds:.2f} s of audio in {passed:.2f} s, {seconds / passed:.1f}x real time")
    return 0


def load_codes(source: str) -> Codes:
    """The codes [F, 7] of a .npy file; raises InvalidRequest with what is wrong with it."""
    path = Path(source)
    try:
        codes = np.load(path, allow_pickle=False)
    except (ValueError, EOFError):
        raise InvalidRequest(f"{path} is not a .npy file of codes") from None
    if not isinstance(codes, np.ndarray) or codes.dtype.kind not in "iu" or codes.ndim != 2 or codes.shape[1] != SLOTS:
        held = f"{codes.dtype} {list(codes.shape)}" if isinstance(codes, np.ndarray) else "several arrays"
        raise InvalidRequest(f"{path} must hold whole numbers of shape [frames, {SLOTS}], not {held}")
    if not len(codes):
        raise InvalidRequest(f"{path} holds no frames")
    if codes.min() < 0 or codes.max() > MAX_CODE:
        raise InvalidRequest(f"{path} holds numbers that are no codes: {codes.min()} to {codes.max()}")
    return codes.astype(np.uint16)


def decoded(
    codes: Codes, decoding: Decoding, address: str = DEFAULT_AUDIO_ADDRESS, timeout_seconds: float | None = None
) -> Iterator[Samples]:
    """The samples of codes [F, 7] as the audio service at `address` gives them out. Raises SpeechError."""
    request_id = uuid.uuid4().hex
    with grpc.insecure_channel(address, options=OPTIONS) as channel:
        call = AudioServiceStub(channel).Decode(_requests(codes, decoding, request_id), timeout=timeout_seconds)
        try:
            for answer in call:
                yield from_bytes(answer.pcm)
        except grpc.RpcError as error:
            raise from_status(error, address, request_id, server="audio service") from None
        finally:
            call.cancel()


def _requests(codes: Codes, decoding: Decoding, request_id: str) -> Iterator[audio_pb2.DecodeRequest]:
    how = audio_pb2.Decoding(mode=MODES[decoding.mode], noise=NOISES[decoding.noise])
    configuration = audio_pb2.DecodeConfiguration(request_id=request_id, seed=decoding.seed, decoding=how)
    yield audio_pb2.DecodeRequest(configuration=configuration)
    for first in range(0, len(codes), BLOCK_FRAMES):
        yield audio_pb2.DecodeRequest(frames=frames_message(first, codes[first : first + BLOCK_FRAMES]))
