"""A listener who hears everything, and somebody who does something to the services meanwhile."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import grpc
import numpy as np

from gateway.request import SpeechRequest
from gateway.speech.resume import Sealer, keys_of
from swara.pcm import Samples, from_bytes
from swara.v1 import speech_service_pb2, speech_service_pb2_grpc
from swara_client import Client, Full
from tests.faults.cluster import RESUME_KEY
from tests.stack.doors import patiently

# One segment of about five seconds, spoken as fast as it is played.
TEXT = "आज सुबह से बहुत तेज़ बारिश हो रही है और सड़कों पर पानी भर गया है।"
SEED = 7
DEADLINE_SECONDS = 120.0

Hit = Callable[[], None]


FIGURES: dict[str, dict[str, float]] = {}
"""What was measured, by test and by name."""


@dataclass(frozen=True)
class Heard:
    """What came: samples [T], packed codes of the last segment, the longest wait between two chunks in seconds."""

    samples: Samples
    codes: bytes
    longest_gap_seconds: float
    resumed: int = 0


def nothing() -> None:
    """No fault."""


def hear(address: str, hit: Hit = nothing, after_chunks: int = 3) -> Heard:
    """Listens to one synthesis and calls `hit` after so many chunks; raises grpc.RpcError where it is not finished."""
    return hear_hits(address, {after_chunks: hit})


def hear_hits(address: str, hits: dict[int, Hit]) -> Heard:
    """The same with several hits, each after so many chunks."""
    # For half a second a gateway may take services for busy whose streams have ended.
    return patiently(lambda: hear_at_once(address, hits))


def hear_at_once(address: str, hits: dict[int, Hit]) -> Heard:
    """The same; raises Full where there is no room now."""
    try:
        return _heard(address, hits)
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
            raise Full(error.details()) from error
        raise


def _heard(address: str, hits: dict[int, Hit]) -> Heard:
    pcm, times, token = bytearray(), [], b""
    with grpc.insecure_channel(address) as channel:
        stub = speech_service_pb2_grpc.SpeechServiceStub(channel)
        for event in stub.Synthesize(request(TEXT), timeout=DEADLINE_SECONDS):
            if event.HasField("chunk"):
                assert event.chunk.first_sample == len(pcm) // 2, "a sample was lost or repeated"
                pcm += event.chunk.pcm
                token = event.chunk.resume_token
                times.append(time.monotonic())
                hits.get(len(times), nothing)()
        assert event.finished.samples == len(pcm) // 2
    return Heard(from_bytes(bytes(pcm)), codes_in(token), noted_gap(times))


def hear_by_sdk(client: Client, hit: Hit = nothing, after_chunks: int = 3, text: str = TEXT) -> Heard:
    """The same through the SDK, which checks by itself that no sample is missing."""
    speech = patiently(lambda: client.synthesize(text, seed=SEED, timeout_seconds=DEADLINE_SECONDS))
    pieces, times = [], []
    for samples in speech:
        pieces.append(samples)
        times.append(time.monotonic())
        if len(times) == after_chunks:
            hit()
    return Heard(np.concatenate(pieces), b"", noted_gap(times), speech.resumed)


def noted_gap(times: list[float]) -> float:
    """The longest wait between two chunks in seconds, remembered as a figure of the test that runs."""
    gap_seconds = float(np.diff(times).max(initial=0.0))
    note_figure("gap_seconds", gap_seconds)
    return gap_seconds


def note_figure(name: str, value: float) -> None:
    """Remembers the largest of a test's values for the end of the run."""
    test, _, stage = os.environ["PYTEST_CURRENT_TEST"].split("::")[-1].partition(" ")
    test = "undisturbed" if stage == "(setup)" else test
    figures = FIGURES.setdefault(test, {})
    figures[name] = max(figures.get(name, 0.0), round(value, 3))


def request(text: str) -> speech_service_pb2.SynthesizeRequest:
    speaker = speech_service_pb2.Speaker(seed=SEED)
    return speech_service_pb2.SynthesizeRequest(text=text, speaker=speaker, resumable=True)


def codes_in(token: bytes) -> bytes:
    """The frames of the last segment, as the gateway that made the token had received them."""
    return Sealer(keys_of(RESUME_KEY), 1.0).opened(SpeechRequest("", "", resume_token=token), 0.0)[1].codes


def assert_same_speech(one: Heard, other: Heard) -> None:
    """Codes equal where both are known, and PCM by law 1: as many samples, each within 1."""
    assert len(one.samples) == len(other.samples)
    assert np.abs(one.samples.astype(np.int32) - other.samples).max() <= 1
    if one.codes and other.codes:
        assert one.codes == other.codes
