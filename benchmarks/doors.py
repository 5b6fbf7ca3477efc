"""`make bench-doors`: how long first audio takes through each door, beside gRPC, in interleaved rounds."""

import argparse
import asyncio
import base64
import json
import statistics
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import httpx
from websockets.asyncio.client import ClientConnection, connect

from benchmarks import machine
from benchmarks.listening import TEXTS
from swara.errors import SetupError
from swara.pcm import from_bytes
from swara.player import Player
from swara.stack import Stack
from swara.stopwatch import Stopwatch
from swara_client import AsyncClient
from swara_client.show import milliseconds

LOG = Path("out/bench-doors.log")
GRPC = "grpc"

Door = Callable[[str, int], AsyncIterator[bytes]]
"""PCM of a text with a seed, as it comes."""


class Doors:
    """Open connections to every door of one gateway, so that none is measured with its handshake."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> dict[str, Door]:
        enter = self._opened.enter_async_context
        self._grpc = await enter(AsyncClient(self._stack.gateway_address))
        self._http = await enter(httpx.AsyncClient(base_url=f"http://{self._stack.http_address}", timeout=60))
        self._tts = await enter(connect(f"ws://{self._stack.http_address}/ws/tts", max_size=None, compression=None))
        self._stream = await enter(
            connect(f"ws://{self._stack.http_address}/ws/stream", max_size=None, compression=None)
        )
        return {GRPC: self._say_grpc, "http": self._say_http, "ws/tts": self._say_tts, "ws/stream": self._say_stream}

    async def __aexit__(self, *_: object) -> None:
        await self._opened.aclose()

    async def _say_grpc(self, text: str, seed: int) -> AsyncIterator[bytes]:
        async with await self._grpc.synthesize(text, seed=seed) as speech:
            async for samples in speech:
                yield samples.tobytes()

    async def _say_http(self, text: str, seed: int) -> AsyncIterator[bytes]:
        body = {"input": text, "seed": seed, "response_format": "pcm"}
        async with self._http.stream("POST", "/v1/audio/speech", json=body) as answer:
            answer.raise_for_status()
            async for piece in answer.aiter_raw():
                yield piece

    async def _say_tts(self, text: str, seed: int) -> AsyncIterator[bytes]:
        await self._tts.send(json.dumps({"text": text, "seed": seed}))
        while isinstance(message := await self._tts.recv(), bytes):
            yield message

    async def _say_stream(self, text: str, seed: int) -> AsyncIterator[bytes]:
        async for message in _context(self._stream, {"context_id": "x", "text": text, "seed": seed}):
            if message["type"] == "chunk":
                yield base64.b64decode(message["data"])


async def _context(connection: ClientConnection, request: dict[str, object]) -> AsyncIterator[dict[str, str]]:
    await connection.send(json.dumps(request))
    while not (message := json.loads(await connection.recv()))["done"]:
        yield message


async def first_audio_seconds(door: Door, text: str, seed: int) -> float:
    """From the request to its first audible sample; hears the speech to its end."""
    watch, player, odd = Stopwatch(), Player(), b""
    async for piece in door(text, seed):
        piece = odd + piece
        even = len(piece) // 2 * 2
        player.feed(watch.seconds, from_bytes(piece[:even]))
        odd = piece[even:]
    heard = player.finish(watch.seconds).first_audio_seconds
    if heard is None:
        raise SetupError("nothing audible came")
    return heard


async def measure(stack: Stack, rounds: int) -> dict[str, list[float]]:
    """First audio in seconds of every round, by door; each round asks every door once, beginning with another one."""
    async with Doors(stack) as doors:
        names = list(doors)
        for name in names:
            await first_audio_seconds(doors[name], TEXTS[0], 0)
        found: dict[str, list[float]] = {name: [] for name in names}
        for k in range(rounds):
            for name in names[k % len(names) :] + names[: k % len(names)]:
                found[name].append(await first_audio_seconds(doors[name], TEXTS[0], k))
        return found


def summary(found: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Medians by door in seconds: of first audio, and of its difference to gRPC's in the same round."""
    return {
        name: {
            "first_audio_seconds": statistics.median(values),
            "more_than_grpc_seconds": statistics.median(
                value - beside for value, beside in zip(values, found[GRPC], strict=True)
            ),
        }
        for name, values in found.items()
    }


def main() -> None:
    """Prints a line for each door, and one JSON object as the last line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.doors", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30, help="requests at each door (default 30)")
    given = parser.parse_args()
    rows = summary(_with_stack(given.rounds))
    for name, row in rows.items():
        more = 1000 * row["more_than_grpc_seconds"]
        print(f"{name:10} first audio {milliseconds(row['first_audio_seconds'])}, {more:+.1f} ms beside gRPC")
    print(json.dumps({"benchmark": "doors", "machine": machine.describe(), "rounds": given.rounds, "doors": rows}))


def _with_stack(rounds: int) -> dict[str, list[float]]:
    LOG.parent.mkdir(parents=True, exist_ok=True)
    try:
        with LOG.open("w", encoding="utf-8") as log:
            sink = partial(print, file=log, flush=True)
            with Stack.on_free_ports(sink=sink) as stack:
                return asyncio.run(measure(stack, rounds))
    except SetupError as error:
        print(f"bench-doors: {error}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
