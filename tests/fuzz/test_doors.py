"""While strangers send nonsense to every door, two callers get their own speech, sample for sample."""

import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import grpc
import httpx
import numpy as np
import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from swara.pcm import from_bytes
from swara.stack import Stack
from swara.v1 import speech_service_pb2_grpc as speech_grpc
from tests.conftest import logged
from tests.stack.doors import DOORS, Asked, Refused, assert_equal_speech, pcm_of, token_load, url, wait_until

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(400)]
CALLERS = (Asked("आज मौसम अच्छा है।", seed=11), Asked("कल बारिश होगी, ऐसा लगता है।", seed=22))
ROUNDS = 2
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
ROOT = Path(__file__).parents[2]
EXAMPLES = 20
METHODS = ("Synthesize", "Listen", "ListVoices", "StreamSynthesize")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzzed") / "stack.log"


@pytest.fixture(scope="module")
def fuzzed(log: Path) -> Iterator[Stack]:
    """A stack of its own, whose whole log is looked at."""
    with Stack.on_free_ports(sink=logged(log)) as running:
        yield running


def junk(draw: random.Random) -> bytes:
    """Bytes, or something like JSON."""
    if draw.random() < 0.5:
        return draw.randbytes(draw.randrange(400))
    names = ("input", "text", "voice", "seed", "speed", "context_id", "continue", "listen", "output_format", "flush")
    values = ("", "क", "a", 0, -1, 1e308, 2**70, None, True, [], {}, "mp3", "\x00", "9" * 500)
    return json.dumps({name: draw.choice(values) for name in draw.sample(names, draw.randrange(6))}).encode()


def pester_http(stack: Stack, draw: random.Random) -> None:
    with suppress(httpx.HTTPError):
        answer = httpx.post(url(stack), content=junk(draw), timeout=20)
        assert answer.status_code in (200, 400, 413, 429), answer.text


def pester_websocket(stack: Stack, draw: random.Random) -> None:
    path = draw.choice(("/ws/tts", "/ws/stream"))
    with suppress(WebSocketException, OSError), connect(f"ws://{stack.http_address}{path}", close_timeout=1) as socket:
        for _ in range(draw.randrange(1, 6)):
            data = junk(draw)
            socket.send(data if draw.random() < 0.2 else data.decode("utf-8", "replace"))
        socket.recv(0.2)


def pester_grpc(stack: Stack, draw: random.Random) -> None:
    name = draw.choice(METHODS)
    with grpc.insecure_channel(stack.gateway_address) as channel:
        path = f"/swara.v1.SpeechService/{name}"
        with suppress(grpc.RpcError):
            list(channel.stream_stream(path)(iter([junk(draw) for _ in range(draw.randrange(1, 3))]), timeout=2))
        with suppress(grpc.RpcError):
            call = speech_grpc.SpeechServiceStub(channel).StreamSynthesize(iter(()), timeout=1)
            list(call)


PESTERERS: tuple[Callable[[Stack, random.Random], None], ...] = (pester_http, pester_websocket, pester_grpc)


def pester(stack: Stack, over: threading.Event, seed: int) -> int:
    """Sends nonsense until it is over; returns how often."""
    draw, times = random.Random(seed), 0
    while not over.is_set():
        PESTERERS[seed % len(PESTERERS)](stack, draw)
        times += 1
    return times


def patient(door: Callable[..., Iterator[bytes]], stack: Stack, asked: Asked) -> bytes:
    """A caller's speech, asked for again where there is no room: nonsense may be speakable."""
    for _ in range(200):
        try:
            return pcm_of(door(stack, asked))
        except Refused as refused:
            if refused.code not in ("RESOURCE_EXHAUSTED", 429, 1013, "full"):
                raise
            threading.Event().wait(0.2)
    pytest.fail("there was never room")


def test_two_callers_get_their_own_speech_while_every_door_is_pestered(fuzzed: Stack, log: Path) -> None:
    alone = [from_bytes(patient(DOORS["grpc"], fuzzed, asked)) for asked in CALLERS]
    assert len(alone[0]) != len(alone[1])
    over = threading.Event()
    with ThreadPoolExecutor() as pool:
        pesterers = [pool.submit(pester, fuzzed, over, seed) for seed in range(len(PESTERERS))]
        try:
            for name, door in list(DOORS.items()) * ROUNDS:
                spoken = pool.map(lambda asked, door=door: from_bytes(patient(door, fuzzed, asked)), CALLERS)
                for mine, heard in zip(alone, spoken, strict=True):
                    assert np.any(heard), name
                    assert_equal_speech(mine, heard)
        finally:
            over.set()
        assert all(pesterer.result() > 5 for pesterer in pesterers)
    assert_well(fuzzed, log)


def test_schemathesis_finds_no_answer_that_is_not_described(fuzzed: Stack, log: Path, tmp_path: Path) -> None:
    seed = os.environ.get("FUZZ_SEED", "2")
    command = [SCHEMATHESIS, "run", url(fuzzed, "/openapi.json"), f"--max-examples={EXAMPLES}", "--no-color"]
    # Unknown names and texts without a letter are refused, as they should be, and no schema could tell.
    hooks = {"SCHEMATHESIS_HOOKS": "tests.fuzz.speakable", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*map(str, command), f"--seed={seed}"],
        cwd=tmp_path,
        env=os.environ | hooks,
        capture_output=True,
        text=True,
        timeout=380,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert_well(fuzzed, log)


def assert_well(stack: Stack, log: Path) -> None:
    """No process has died, no stream is left running, and no log line tells of a fault of ours."""
    assert stack.ended() is None
    wait_until(lambda: token_load(stack).running_streams == 0, 30)
    said = log.read_text(encoding="utf-8")
    assert "Traceback" not in said
    assert "unforeseen" not in said
