"""Listen between gateways and in a crowd: any gateway passes a listener on, and nobody waits for who reads nothing."""

import asyncio
import json
import re
import resource
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import grpc
import pytest
from websockets.asyncio.client import unix_connect as connect_async
from websockets.sync.client import unix_connect as connect

from gateway.sharing.synthesis_id import SynthesisIds
from gateway.speech.resume import keys_of
from swara.process import ServiceProcess
from swara.stack import Stack
from swara.v1 import speech_service_pb2 as speech_v1
from swara_client import FLUSH, Client, Flush, Full, InvalidRequest, NotFound, OutOfRange, Unavailable
from tests.gateway.gateway_process import Doors, gateway_alone
from tests.memory import resident_bytes
from tests.stack.doors import PATIENCE_SECONDS, idle, wait_until

SENTENCE = "आज सुबह से बहुत तेज़ बारिश हो रही है और सड़कों पर पानी भर गया है। "
TEXT = SENTENCE * 8
# More than the history of the gateway that a crowd listens to.
CROWDS_TEXT = SENTENCE * 5
SHORT = "नमस्ते दोस्तों।"
HEX_KEY = "5" * 32
KEY = f"--resume-key={HEX_KEY}"
LISTENERS = 200
LINGER_SECONDS = 1.5
SILENT_SECONDS = 8
WRITER_PAUSE_SECONDS = 4.0
TWENTY_SECONDS_BYTES = 960_000
WEBSOCKET = "ws://swara/ws/stream"
ENDED = re.compile(r'swara_gateway_requests_total{door="websocket",outcome="(?P<outcome>\w+)"}')

Running = tuple[Doors, ServiceProcess]


def one_of_a_pair(stack: Stack) -> AbstractContextManager[Running]:
    return gateway_alone(KEY, f"--audio-address={stack.audio_address}", "--history-bytes=96000")


@pytest.fixture(scope="module")
def started_pair(shared_stack: Stack) -> Iterator[tuple[Running, Running]]:
    with one_of_a_pair(shared_stack) as owner, one_of_a_pair(shared_stack) as other:
        yield owner, other


@pytest.fixture
def pair(stack: Stack, started_pair: tuple[Running, Running]) -> tuple[Running, Running]:
    """Two gateways with one key before the same services; nobody speaks there."""
    for doors, _ in started_pair:
        doors.wait_until_idle()
    return started_pair


@pytest.fixture(scope="module")
def started_stranger(shared_stack: Stack) -> Iterator[Doors]:
    flags = (f"--audio-address={shared_stack.audio_address}", "--max-listeners=1", f"--linger-seconds={LINGER_SECONDS}")
    with gateway_alone(*flags) as (doors, _):
        yield doors


@pytest.fixture
def stranger(stack: Stack, started_stranger: Doors) -> Iterator[Client]:
    """A client of a gateway with a key of its own, room for one listener, and a short memory; nobody speaks there."""
    started_stranger.wait_until_idle()
    with Client(started_stranger.grpc_address) as client:
        yield client


@pytest.fixture
def pair_of_clients(pair: tuple[Running, Running]) -> Iterator[tuple[Client, Client]]:
    with Client(pair[0][0].grpc_address) as owner, Client(pair[1][0].grpc_address) as other:
        yield owner, other


def test_another_gateway_passes_a_listener_on_to_the_owner(pair_of_clients: tuple[Client, Client]) -> None:
    owner, other = pair_of_clients
    speech = owner.synthesize(SHORT, seed=3, shareable=True)
    with other.listen(speech.started.synthesis_id) as joined:
        assert joined.started.seed == 3
        assert joined.started.request_id != speech.started.request_id
        samples = speech.read()
        assert joined.read().tobytes() == samples.tobytes()
        assert joined.finished.reason == speech.finished.reason


def test_a_writers_pause_is_no_gap_for_whom_another_gateway_passes_on(
    pair: tuple[Running, Running], pair_of_clients: tuple[Client, Client]
) -> None:
    owner, other = pair_of_clients
    joined_at = threading.Event()

    def pieces() -> Iterator[str | Flush]:
        yield SHORT
        yield FLUSH
        joined_at.wait(PATIENCE_SECONDS)
        time.sleep(WRITER_PAUSE_SECONDS)
        yield SHORT

    speech = owner.stream_synthesize(pieces(), shareable=True, seed=1)
    first = next(speech)
    assert speech.started
    series = f'swara_gateway_estimated_gap_seconds_total{{door="grpc",model="{speech.started.model}"}}'
    before = [doors.metrics().get(series, 0.0) for doors, _ in pair]
    with other.listen(speech.started.synthesis_id) as joined, ThreadPoolExecutor(1) as elsewhere:
        heard = elsewhere.submit(joined.read)
        joined_at.set()
        assert len(first) + len(speech.read()) == len(heard.result())
    at_owner, at_other = (doors.counted(series) - then for (doors, _), then in zip(pair, before, strict=True))
    # A slow machine makes real gaps, of which the owner counts those of both who hear it.
    assert at_other < at_owner + WRITER_PAUSE_SECONDS / 2


def test_a_speech_that_two_hear_has_taken_its_time_once(
    pair: tuple[Running, Running], pair_of_clients: tuple[Client, Client]
) -> None:
    owner, _ = pair_of_clients
    counts = (
        "swara_gateway_first_token_seconds_count",
        'swara_gateway_stage_seconds_count{stage="decode"}',
        'swara_gateway_stage_seconds_count{stage="write"}',
    )
    before = [pair[0][0].counted(name) for name in counts]
    speech = owner.synthesize(SHORT, shareable=True)
    with owner.listen(speech.started.synthesis_id) as joined:
        assert joined.read().tobytes() == speech.read().tobytes()
    after = [pair[0][0].counted(name) for name in counts]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 2]


def test_what_the_owner_says_no_to_is_said_by_the_other_gateway_too(
    stack: Stack, pair_of_clients: tuple[Client, Client]
) -> None:
    owner, other = pair_of_clients
    with owner.synthesize(TEXT, shareable=True) as speech:
        while speech.audio_seconds < 3:
            next(speech)
        with pytest.raises(OutOfRange, match="sample 0 is no longer kept"):
            other.listen(speech.started.synthesis_id)
    wait_until(lambda: idle(stack), PATIENCE_SECONDS)
    with pytest.raises(NotFound, match="no synthesis with this id"):
        other.listen(speech.started.synthesis_id)


def test_a_gateway_that_is_passed_a_listener_never_passes_him_on_again(pair: tuple[Running, Running]) -> None:
    (owner, _), (other, _) = pair
    speaking, stubbed = Client(owner.grpc_address), other.stub()
    with speaking as client, client.synthesize(TEXT, shareable=True) as speech, stubbed as stub:
        asked = speech_v1.ListenRequest(synthesis_id=speech.started.synthesis_id)
        voucher = SynthesisIds(keys_of(HEX_KEY), "").voucher(asked.synthesis_id, "r1")
        call = stub.Listen(
            asked, metadata=(("swara-relayed", voucher), ("x-request-id", "r1")), timeout=PATIENCE_SECONDS
        )
        with pytest.raises(grpc.RpcError, match="its owner is at") as caught:
            list(call)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_an_owner_that_has_gone_away_is_said_to_have_gone(stack: Stack, pair: tuple[Running, Running]) -> None:
    _, (other, _) = pair
    with (
        one_of_a_pair(stack) as (owner, process),
        Client(owner.grpc_address) as client,
        Client(other.grpc_address) as elsewhere,
    ):
        speech = client.synthesize(TEXT, shareable=True)
        synthesis_id = speech.started.synthesis_id
        process.kill()
        with pytest.raises(Unavailable, match="went away or cannot be reached"):
            elsewhere.listen(synthesis_id)


def test_a_gateway_with_another_key_believes_no_id(stranger: Client, pair_of_clients: tuple[Client, Client]) -> None:
    owner, _ = pair_of_clients
    with owner.synthesize(TEXT, shareable=True) as speech:
        synthesis_id = speech.started.synthesis_id
        with pytest.raises(NotFound, match="no synthesis with this id"):
            stranger.listen(synthesis_id)


def test_more_listeners_than_there_are_places_for_are_told_full(stranger: Client) -> None:
    with stranger.synthesize(TEXT, shareable=True) as speech:
        synthesis_id = speech.started.synthesis_id
        with stranger.listen(synthesis_id), pytest.raises(Full, match="all 1 listeners"):
            stranger.listen(synthesis_id)


def test_a_finished_synthesis_can_be_joined_for_a_while_and_then_no_more(stranger: Client) -> None:
    speech = stranger.synthesize(SHORT, shareable=True)
    whole, synthesis_id = speech.read(), speech.started.synthesis_id
    assert stranger.listen(synthesis_id).read().tobytes() == whole.tobytes()
    time.sleep(2 * LINGER_SECONDS)
    with pytest.raises(NotFound):
        stranger.listen(synthesis_id)


def test_a_negative_sample_cannot_be_sent(pair_of_clients: tuple[Client, Client]) -> None:
    with pytest.raises(InvalidRequest, match="cannot be sent"):
        pair_of_clients[0].listen("x", -1)


async def hears(path: str, synthesis_id: str, joined: asyncio.Queue[None]) -> tuple[int, int]:
    """How many bytes of audio one listener got, and how many samples it was told there are."""
    heard_bytes = 0
    async with connect_async(path, WEBSOCKET, max_size=None, compression=None) as connection:
        asked = {"context_id": "x", "listen": synthesis_id, "output_format": {"frames": "binary"}}
        await connection.send(json.dumps(asked))
        async for message in connection:
            if isinstance(message, bytes):
                mark = struct.calcsize("<B1sIQ")
                assert struct.unpack_from("<Q", message, mark - 8)[0] * 2 == heard_bytes, "a chunk is missing"
                heard_bytes += len(message) - mark
            elif json.loads(message)["type"] == "started":
                joined.put_nowait(None)
            else:
                said = json.loads(message)
                assert said["type"] == "done", said
                return heard_bytes, said["samples"]
    raise AssertionError("the connection ended before its context")


def reads_nothing(path: str, synthesis_id: str, opened: ExitStack) -> None:
    """Joins, and then takes nothing from its socket."""
    connection = opened.enter_context(connect(path, WEBSOCKET, max_queue=1, close_timeout=0.1, compression=None))
    connection.send(json.dumps({"context_id": "x", "listen": synthesis_id}))


def ends(doors: Doors) -> dict[str, float]:
    """How many WebSocket requests have ended how."""
    found = ((ENDED.fullmatch(name), count) for name, count in doors.metrics().items() if count)
    return {ended["outcome"]: count for ended, count in found if ended}


def test_199_of_200_listeners_get_every_byte_while_one_reads_nothing_and_memory_stays_flat(
    stack: Stack, tmp_path: Path
) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # A Unix socket, because the kernel keeps megabytes for a TCP connection that nobody reads.
    path = f"{tmp_path}/http.sock"
    flags = (
        f"--http-address=unix:{path}",
        f"--audio-address={stack.audio_address}",
        f"--history-bytes={TWENTY_SECONDS_BYTES}",
        f"--silent-seconds={SILENT_SECONDS}",
    )

    async def crowd(synthesis_id: str, process: ServiceProcess) -> tuple[set[tuple[int, int]], list[int]]:
        joined: asyncio.Queue[None] = asyncio.Queue()
        tasks = [asyncio.create_task(hears(path, synthesis_id, joined)) for _ in range(LISTENERS - 1)]
        for _ in tasks:
            await joined.get()
        sizes = [resident_bytes(process.pid)]
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0.5)
            sizes.append(resident_bytes(process.pid))
        return {task.result() for task in tasks}, sizes

    with gateway_alone(*flags) as (doors, process), Client(doors.grpc_address) as client, ExitStack() as opened:
        # Whoever asked for it reads nothing either: the crowd goes at its own pace.
        first = client.synthesize(CROWDS_TEXT, seed=2, shareable=True)
        synthesis_id = first.started.synthesis_id
        reads_nothing(path, synthesis_id, opened)
        began = time.monotonic()
        ended, sizes = asyncio.run(crowd(synthesis_id, process))
        seconds = time.monotonic() - began
        everybody = {"finished": LISTENERS - 1, "silent": 1}
        wait_until(lambda: ends(doors) == everybody, PATIENCE_SECONDS)
        first.close()
    ((heard_bytes, samples),) = ended
    growth_bytes = max(sizes) - sizes[0]
    print(
        f"{LISTENERS} listeners, {samples / 24_000:.1f} s of speech in {seconds:.1f} s: 199 got {heard_bytes} bytes "
        f"each; gateway {sizes[0] / 1e6:.0f} MB at first, {growth_bytes / 1e6:+.1f} MB at most"
    )
    assert heard_bytes == 2 * samples
    assert growth_bytes < 16e6
