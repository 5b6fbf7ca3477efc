"""A token service as an engine to be measured: in a process of its own, asked for many streams at once."""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from typing import Any

import grpc

from benchmarks.arrivals import ARRIVAL_SECONDS, Arrivals, figures
from benchmarks.cpu import cpu_seconds
from benchmarks.engine_turns import READY_SECONDS, STOP_SECONDS, EngineLost
from swara.channel import connect
from swara.errors import SetupError
from swara.frames import FRAME_BYTES, SLOTS
from swara.process import ServiceProcess, free_port, grpc_ready, to_stderr
from swara.v1 import token_service_pb2 as pb
from swara.v1 import token_service_pb2_grpc

SAMPLING: dict[str, Any] = {"temperature": 0.6, "top_k": 0, "top_p": 0.9, "repetition_penalty": 1.1}
# Frames that every stream speaks unmeasured first, so that nothing is compiled or allocated afterwards.
WARM_FRAMES = 8


class TokenServiceUnderTest:
    """One engine behind its token service, in a process of its own."""

    def __init__(self, engine: str, flags: Sequence[str], text: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="swara-")
        self._address = f"unix:{self._folder.name}/token.sock"
        self._text = text
        doors = [f"--address={self._address}", f"--metrics-port={free_port()}", "--metrics-host=127.0.0.1"]
        self._process = ServiceProcess("token_service", [f"--engine={engine}", *flags, *doors], to_stderr)

    @property
    def pid(self) -> int:
        """The service's process id."""
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Raises SetupError with what the service said if it ends before it is ready."""
        deadline = time.monotonic() + READY_SECONDS
        while not grpc_ready(self._address):
            if self._process.exit_code is not None or time.monotonic() > deadline:
                raise SetupError(self._process.last_sentence())
            time.sleep(0.1)

    def row(self, streams: int, frames: int) -> dict[str, Any]:
        """Over a connection of its own; raises EngineLost with what gRPC or the service says."""
        try:
            return asyncio.run(self._row(streams, frames))
        except grpc.aio.AioRpcError as error:
            raise EngineLost(error.details() or error.code().name) from None

    def stop(self) -> None:
        """Ends the process."""
        self._process.end(STOP_SECONDS)
        self._folder.cleanup()

    async def _row(self, streams: int, frames: int) -> dict[str, Any]:
        async with connect(self._address) as channel:
            await read_all(channel, self._text, streams, WARM_FRAMES)
            before_seconds = cpu_seconds(self.pid)
            arrivals = await read_all(channel, self._text, streams, frames)
            return figures(arrivals, cpu_seconds(self.pid) - before_seconds)


async def read_all(channel: grpc.aio.Channel, text: str, streams: int, frames: int) -> list[Arrivals]:
    """So many streams, asked for one after the other within ARRIVAL_SECONDS."""
    stub = token_service_pb2_grpc.TokenServiceStub(channel)
    return await asyncio.gather(*[_read(stub, text, frames, number, streams) for number in range(streams)])


async def _read(
    stub: token_service_pb2_grpc.TokenServiceStub, text: str, frames: int, number: int, streams: int
) -> Arrivals:
    request = pb.GenerateRequest(
        request_id=f"bench-{number}",
        text=text,
        seed=number,
        sampling=pb.Sampling(**SAMPLING),
        # Nobody is refused, even where the machine is too slow for so many listeners.
        admission_class=pb.ADMISSION_CLASS_CONTINUING,
        limits=pb.FrameLimits(max_frames=frames, ignore_end=True),
    )
    await asyncio.sleep(ARRIVAL_SECONDS * number / streams)
    arrivals, began = Arrivals(), time.perf_counter()
    async for event in stub.Generate(request):
        if event.HasField("frames"):
            new_frames = len(event.frames.codes) // FRAME_BYTES
            arrivals.arrived(time.perf_counter() - began, new_frames * SLOTS)
    return arrivals
