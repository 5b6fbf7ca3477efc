"""The token service on vLLM: what it refuses, what it answers, and how it ends when vLLM does."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from swara.errors import SetupError
from swara.process import ServiceProcess, free_port, grpc_ready
from swara.v1 import token_service_pb2 as pb
from swara.v1 import token_service_pb2_grpc
from tests.engines.requests import DEMO, setup
from token_service.engines.registry import build_engine

pytest.importorskip("vllm", reason="vllm is not installed")

START_SECONDS = 240
pytestmark = pytest.mark.timeout(START_SECONDS)
# With drafts, which must not make their way past the slot mask.
FLAGS = [
    "--engine=vllm",
    f"--model={DEMO}",
    "--precision=fp32",
    "--max-streams=2",
    "--reserve-streams=1",
    "--speculation=ngram",
]


class Door:
    """A token service on vLLM, and a stub for it."""

    def __init__(self) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        flags = [*FLAGS, f"--address={self.address}", f"--metrics-port={free_port()}", "--metrics-host=127.0.0.1"]
        self.lines: list[str] = []
        self.process = ServiceProcess("token_service", flags, self.lines.append)

    def wait_until_ready(self) -> None:
        while not grpc_ready(self.address):
            assert self.process.exit_code is None, self.process.last_sentence()
            time.sleep(0.2)

    def speak(self, frames: int) -> Iterator[pb.GenerateResponse]:
        """The events of one generation."""
        with grpc.insecure_channel(self.address) as channel:
            stub = token_service_pb2_grpc.TokenServiceStub(channel)
            limits = pb.FrameLimits(max_frames=frames, ignore_end=True)
            yield from stub.Generate(pb.GenerateRequest(request_id="r", text="नमस्ते", seed=7, limits=limits))


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    try:
        door.wait_until_ready()
        yield door
    finally:
        door.process.end(15.0)


def engine_processes(pid: int) -> list[int]:
    """The process ids below this one that vLLM has named as its own."""
    below = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    named = [child for child in below if "EngineCore" in Path(f"/proc/{child}/cmdline").read_text()]
    return named + [found for child in below for found in engine_processes(child)]


def test_it_speaks_through_the_same_door_and_ends_with_a_sentence_when_vllm_dies(door: Door) -> None:
    with grpc.insecure_channel(door.address) as channel:
        model = token_service_pb2_grpc.TokenServiceStub(channel).GetModel(pb.GetModelRequest()).model
    assert (model.engine, model.deterministic, model.can_pause) == ("vllm", False, False)
    events = list(door.speak(20))
    assert events[0].HasField("started")
    assert events[-1].finished.frames == 20
    assert sum(len(event.frames.codes) for event in events) == 20 * 14

    speaking = door.speak(250)
    next(speaking)
    for pid in engine_processes(door.process.pid):
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(grpc.RpcError) as failure:
        list(speaking)
    assert failure.value.code() is grpc.StatusCode.UNAVAILABLE
    assert door.process.wait(30.0) == 1
    # Python's own tracker of shared memory may have the last word.
    assert any(line.startswith("the engine failed and cannot go on") for line in door.lines)


def test_a_precision_and_a_draft_that_vllm_cannot_do_here_are_refused() -> None:
    with pytest.raises(SetupError, match="int8"):
        build_engine(setup("vllm", precision="int8"))
    with pytest.raises(SetupError, match="eagle3"):
        build_engine(setup("vllm", speculation="eagle3", draft_model=str(DEMO)))


def test_a_profile_that_contradicts_the_checkpoint_is_refused_before_anything_is_loaded() -> None:
    wrong = setup("vllm")
    with pytest.raises(SetupError, match="vocabulary"):
        build_engine(replace(wrong, profile=replace(wrong.profile, code_base_id=100_000)))
