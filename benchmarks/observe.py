"""`make observe`: Prometheus and Alertmanager on the local stack under load; pictures of the dashboards.

After a while the codec is held up, as by a neighbour that takes its processor, and let go again: what listeners hear
then, and which alert says so, is in the pictures and in the last line.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks import boards, machine
from benchmarks.boards import Span, draw, now
from benchmarks.listening import TEXTS, listen
from benchmarks.monitoring import Monitoring, Target
from deploy.grafana.boards import BOARDS
from swara.errors import SetupError
from swara.stack import Stack
from swara_client import AsyncClient, SpeechError

# Hours of the rules are minutes here.
SCALE = 60.0
LOG = Path("out/observe.log")
# The codec's process stops for the first of these and runs for the second, again and again: too little to decode
# what listeners hear meanwhile, unless a frame takes under 2 ms; and no stop is long enough to be taken for its death.
HELD_SECONDS, FREE_SECONDS = 0.6, 0.02
PODS = ("gateway", "speech", "speech")


def main() -> None:
    """Writes the pictures; prints what fired, and one JSON object as the last line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.observe", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=40.0, help="of each of the three parts (default 40)")
    parser.add_argument("--listeners", type=int, default=2, help="who ask again and again (default 2)")
    parser.add_argument("--images", type=Path, default=Path("out"), help="folder of the pictures (default out)")
    given = parser.parse_args()
    try:
        found = _observed(given.seconds, given.listeners, given.images)
    except SetupError as error:
        print(f"observe: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    print(json.dumps({"benchmark": "observe", "machine": machine.describe(), **found}))


def _observed(part_seconds: float, listeners: int, images: Path) -> dict[str, object]:
    images.mkdir(parents=True, exist_ok=True)
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with (
        LOG.open("w", encoding="utf-8") as log,
        Stack.on_free_ports(sink=lambda line: print(line, file=log, flush=True)) as stack,
        Monitoring(
            [Target(port, pod) for port, pod in zip(stack.metrics_ports, PODS, strict=True)], SCALE
        ) as monitoring,
        listening(stack, listeners),
    ):
        start = now()
        time.sleep(part_seconds)
        fault_start = now()
        with held_up(stack.services["audio_service"].pid):
            fired = fired_within(monitoring, part_seconds)
        fault = Span(fault_start, now(), "codec held up")
        time.sleep(part_seconds)
        shown = Span(start, now())
        empty = [line for board in BOARDS for line in boards.empty(monitoring, board, shown)]
        for board in BOARDS:
            if not all(boards.need(expression) for _, expression in boards.expressions(board)):
                draw(board, monitoring, shown, [fault], images / f"{board.uid}.png")
    for line in empty:
        print(f"empty: {line}")
    for name in sorted(fired):
        print(f"fired while the codec was held up: {name}")
    return {"fired": sorted(fired), "empty_panels": len(empty)}


def fired_within(monitoring: Monitoring, seconds: float) -> set[str]:
    """The alerts that Alertmanager would call somebody for at any time while it waits so long."""
    over, fired = time.monotonic() + seconds, set[str]()
    while time.monotonic() < over:
        fired |= monitoring.pages()
        time.sleep(1.0)
    return fired


@contextmanager
def listening(stack: Stack, listeners: int) -> Iterator[None]:
    """So many ask at the gRPC door again and again until the end of the block, and one for MP3 at the HTTP door."""
    over = threading.Event()
    threads = [threading.Thread(target=asyncio.run, args=(_ask(stack, k, over),)) for k in range(listeners)]
    threads.append(threading.Thread(target=_ask_for_mp3, args=(stack, over)))
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


async def _ask(stack: Stack, number: int, over: threading.Event) -> None:
    async with AsyncClient(stack.gateway_address) as client:
        while not over.is_set():
            try:
                heard = await listen(client, TEXTS[number % len(TEXTS)], seed=number)
            except SpeechError as error:
                print(f"observe: {error}", file=sys.stderr)
                heard = None
            await asyncio.sleep(0.2 if heard else 2.0)


def _ask_for_mp3(stack: Stack, over: threading.Event) -> None:
    order = {"model": "tts-1", "voice": "alloy", "input": TEXTS[0], "response_format": "mp3"}
    while not over.wait(1.0):
        httpx.post(f"http://{stack.http_address}/v1/audio/speech", json=order, timeout=60.0)


@contextmanager
def held_up(pid: int) -> Iterator[None]:
    """A process that gets its processor for a thirtieth of the time, as on a machine that is far too full."""
    over = threading.Event()

    def hold() -> None:
        while not over.is_set():
            os.kill(pid, signal.SIGSTOP)
            over.wait(HELD_SECONDS)
            os.kill(pid, signal.SIGCONT)
            time.sleep(FREE_SECONDS)

    holding = threading.Thread(target=hold)
    holding.start()
    try:
        yield
    finally:
        over.set()
        holding.join()


if __name__ == "__main__":
    main()
