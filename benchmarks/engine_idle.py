"""How busy the device is while the token service serves over gRPC: `python -m benchmarks.engine_idle` (CUDA).

The service runs in this process under torch's profiler, its callers in another, which reads every frame. Orpheus' shape
with random weights. The last line is one JSON object, also in engine-idle-<device>.json in $OUT or benchmarks/results.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.engine import SHAPE_TEXT
from benchmarks.engine_speed import device_use
from benchmarks.machine import file_name
from benchmarks.orpheus_shape import write_orpheus_shape
from benchmarks.token_service import read_all
from swara.channel import connect
from swara.process import grpc_ready
from token_service.__main__ import SWITCH_SECONDS, serve
from token_service.settings import TokenSettings

RESULTS = Path(__file__).parent / "results"
# After the prompts and the first frames; in between, so much is looked at.
WARM_SECONDS, SEEN_SECONDS = 2.0, 1.0
CONTEXT_TOKENS = 1024


def callers(address: str, streams: int, frames: int) -> None:
    """In a process of its own: so many streams at once, twice, every frame read."""

    async def ask() -> None:
        async with connect(address) as channel:
            await read_all(channel, SHAPE_TEXT, streams, frames=8)
            print("warm", flush=True)
            await read_all(channel, SHAPE_TEXT, streams, frames)

    asyncio.run(ask())


async def look(address: str, streams: int, frames: int) -> dict[str, Any]:
    """Waits for the service, lets the callers loose and looks at the device while all speak; then ends the service."""
    try:
        await asyncio.to_thread(_until_ready, address)
        # The first look takes seconds to begin, and whoever speaks meanwhile has ended before it sees anything.
        with profile(activities=[ProfilerActivity.CUDA]):
            await asyncio.sleep(0.1)
        asking = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.engine_idle", "--address", address),
            *(f"--streams={streams}", f"--frames={frames}"),
            stdout=asyncio.subprocess.PIPE,
        )
        assert asking.stdout
        await asking.stdout.readline()
        await asyncio.sleep(WARM_SECONDS)
        # On the main thread, where torch's profiler was born and alone can work.
        with profile(activities=[ProfilerActivity.CUDA]) as seen:
            await asyncio.sleep(SEEN_SECONDS)
        await asking.wait()
        return device_use(list(seen.events() or []))
    finally:
        os.kill(os.getpid(), signal.SIGTERM)


def _until_ready(address: str) -> None:
    while not grpc_ready(address):
        time.sleep(0.1)


async def served(settings: TokenSettings, given: argparse.Namespace) -> dict[str, Any]:
    """The service and the look at it, in one event loop."""
    looking = asyncio.create_task(look(settings.address, given.streams, given.frames))
    await serve(settings)
    return await looking


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--streams", type=int, default=256)
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--address", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.address:
        callers(given.address, given.streams, given.frames)
        return
    sys.setswitchinterval(SWITCH_SECONDS)
    found: dict[str, Any] = {"device": torch.cuda.get_device_name(), "streams": given.streams}
    with tempfile.TemporaryDirectory(prefix="swara-") as folder:
        address = f"unix:{folder}/token.sock"
        wanted: dict[str, Any] = {
            "model": str(write_orpheus_shape(Path(folder))), "weights": "dummy", "engine": "native",
            "precision": "bf16", "max_streams": given.streams, "reserve_streams": 0,
            "context_tokens": CONTEXT_TOKENS, "address": address, "metrics_port": 0,
        }  # fmt: skip
        settings = TokenSettings(**wanted)
        found |= asyncio.run(served(settings, given))
    (Path(os.environ.get("OUT") or RESULTS) / f"engine-idle-{file_name(found['device'])}.json").write_text(
        json.dumps(found, indent=1) + "\n"
    )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
