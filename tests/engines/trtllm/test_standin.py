"""The token service on TensorRT-LLM's stand-in: the same behaviour as on every engine, and clear refusals.

The stand-in keeps the recorded contract over the demo model; nothing here says how the real one performs.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import grpc
import pytest

from swara.process import ServiceProcess, free_port, grpc_ready, to_stderr
from swara.v1 import token_service_pb2 as pb
from swara.v1 import token_service_pb2_grpc
from tests.engines.requests import CONTEXT_TOKENS, DEMO
from tests.engines.trtllm.conftest import environment
from tests.engines.trtllm.directories import engine_directory as make_directory

TARGET = "1.3.0rc29"
START_SECONDS = 300
pytestmark = [pytest.mark.standin, pytest.mark.timeout(2 * START_SECONDS)]


def service(release: str, *flags: str, model: Path = DEMO) -> ServiceProcess:
    """A token service on the stand-in, on free ports."""
    arguments = [
        "--engine=tensorrt-llm",
        f"--model={model}",
        "--max-streams=2",
        "--reserve-streams=1",
        f"--context-tokens={CONTEXT_TOKENS}",
        f"--address=127.0.0.1:{free_port()}",
        f"--metrics-port={free_port()}",
        "--metrics-host=127.0.0.1",
    ]
    return ServiceProcess("token_service", [*arguments, *flags], to_stderr, environment(release))


def refusal(release: str, *flags: str, model: Path = DEMO) -> str:
    """The last sentence of a service that must not start."""
    process = service(release, *flags, model=model)
    assert process.wait(START_SECONDS) == 2
    return process.last_sentence()


def speak(release: str, frames: int, *flags: str, model: Path = DEMO) -> list[pb.GenerateResponse]:
    """One generation through a service's own door."""
    address = f"127.0.0.1:{free_port()}"
    process = service(release, *flags, f"--address={address}", model=model)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not grpc_ready(address):
            assert process.exit_code is None, process.last_sentence()
            assert time.monotonic() < deadline
            time.sleep(0.2)
        with grpc.insecure_channel(address) as channel:
            stub = token_service_pb2_grpc.TokenServiceStub(channel)
            limits = pb.FrameLimits(max_frames=frames, ignore_end=True)
            return list(stub.Generate(pb.GenerateRequest(request_id="r", text="नमस्ते", seed=7, limits=limits)))
    finally:
        process.end(20.0)


def test_it_behaves_as_every_engine_does() -> None:
    command = [sys.executable, "-m", "pytest", "tests/engines/test_behaviour.py", "-k", "tensorrt-llm"]
    ran = subprocess.run(
        command, env={**os.environ, **environment(TARGET)}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout[-3000:]
    assert "skipped" not in ran.stdout


def test_it_speaks_through_the_token_services_door() -> None:
    events = speak(TARGET, 5)
    assert events[-1].finished.frames == 5


def test_an_engine_directory_speaks_on_the_last_release_that_loads_one(engine_directory: Path) -> None:
    events = speak("1.2.1", 3, model=engine_directory)
    assert events[-1].finished.frames == 3


@pytest.mark.parametrize(
    ("release", "sentence"),
    [
        ("1.3.0rc22", "ignores the seed"),
        ("1.3.0rc24", "ignores the seed"),
        ("1.3.0rc0", "ignores repetition_penalty"),
        ("1.1.0", "too old"),
    ],
)
def test_a_release_that_does_not_do_what_is_asked_is_refused(release: str, sentence: str) -> None:
    assert sentence in refusal(release)


def test_an_engine_directory_for_another_place_is_refused(tmp_path: Path) -> None:
    assert "loads no TensorRT engine directories" in refusal(TARGET, model=make_directory(tmp_path / "new", "1.2.1"))
    assert "built by TensorRT-LLM 1.2.0" in refusal("1.2.1", model=make_directory(tmp_path / "old", "1.2.0"))
    foreign = make_directory(tmp_path / "gpu", "1.2.1", gpu="NVIDIA L4")
    assert "built for NVIDIA L4, here is" in refusal("1.2.1", model=foreign)
    small = make_directory(tmp_path / "small", "1.2.1", places=1)
    assert "runs 1 streams, the settings ask for 3" in refusal("1.2.1", model=small)


def test_settings_that_it_cannot_follow_are_refused() -> None:
    assert "swara-engine quantize" in refusal(TARGET, "--precision=fp8")
    assert "needs draft_model" in refusal(TARGET, "--speculation=eagle3")
    assert "takes no draft_model" in refusal(TARGET, "--speculation=ngram", "--draft-model=x")
