"""How many listeners one card carries: `python -m benchmarks.card`, on a machine with a CUDA device.

The whole stack as an operator starts it, language model and codec on the one card: Orpheus' shape and the real codec's,
with random weights. Listeners in processes of their own ask within a second and hear their text to the end. The last
line is one JSON object, also in card-<device>.json in $OUT or benchmarks/results.
"""

import argparse
import asyncio
import json
import math
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch
from safetensors.torch import save_file

from benchmarks.machine import describe, file_name
from benchmarks.orpheus_shape import write_orpheus_shape
from benchmarks.whole import REAL_SHAPE, random_codec
from swara.errors import SetupError
from swara.player import Playback
from swara.stack import Stack
from swara_client import AsyncClient, Full, SpeechError

RESULTS = Path(__file__).parent / "results"
# Random weights do not know when to end: a text of this length is spoken to its limit.
TEXT = " ".join(["word"] * 30) + " ."
CONTEXT_TOKENS = 2048
ARRIVAL_SECONDS = 1.0
# Each starts with a clock of its own, so all wait until a time that all can keep.
GATHER_SECONDS = 8.0
TIMEOUT_SECONDS = 120.0

Heard = tuple[Playback | None, str]
"""What a listener experienced, or why there was nothing to hear."""


def listeners(address: str, numbers: Sequence[int], every: int, begin_seconds: float) -> list[Heard]:
    """These of `every` listeners, in one process, from a time of the machine's clock on."""

    async def listen(client: AsyncClient, number: int) -> Heard:
        await asyncio.sleep(max(0.0, begin_seconds + ARRIVAL_SECONDS * number / every - time.time()))
        try:
            speech = await client.synthesize(TEXT, seed=number, timeout_seconds=TIMEOUT_SECONDS)
            async with speech:
                async for _ in speech:
                    pass
            return speech.playback, ""
        except Full:
            return None, "refused"
        except SpeechError as error:
            return None, str(error)

    async def all_of_them() -> list[Heard]:
        async with AsyncClient(address) as client:
            return await asyncio.gather(*[listen(client, number) for number in numbers])

    return asyncio.run(all_of_them())


def together(address: str, count: int, processes: int, pool: ProcessPoolExecutor) -> dict[str, Any]:
    """So many listeners at once: what they heard; times in milliseconds since each asked."""
    begin = time.time() + GATHER_SECONDS
    shares = [range(first, count, processes) for first in range(min(processes, count))]
    waiting = [pool.submit(listeners, address, list(share), count, begin) for share in shares]
    told = [heard for share in waiting for heard in share.result()]
    played = [playback for playback, _ in told if playback]
    line: dict[str, Any] = {
        "listeners": count,
        "heard": len(played),
        "refused": sum(reason == "refused" for _, reason in told),
        "errors": sorted({reason for _, reason in told if reason not in ("", "refused")}),
    }
    return line | experienced(played) if played else line


def experienced(played: Sequence[Playback]) -> dict[str, float | int]:
    """What those who heard something experienced; times in milliseconds since each asked."""
    first = [1000 * (playback.first_audio_seconds or math.inf) for playback in played]
    play = [1000 * (playback.play_seconds or math.inf) for playback in played]
    return {
        "underruns": sum(playback.underruns for playback in played),
        "listeners_with_underruns": sum(playback.underruns > 0 for playback in played),
        "audio_seconds": round(sum(playback.audio_seconds for playback in played), 1),
        "worst_real_time_factor": round(min(playback.real_time_factor for playback in played), 2),
        "first_audio_ms_p50": round(float(np.quantile(first, 0.5)), 1),
        "first_audio_ms_p95": round(float(np.quantile(first, 0.95, method="higher")), 1),
        "play_ms_p50": round(float(np.quantile(play, 0.5)), 1),
        "play_ms_p95": round(float(np.quantile(play, 0.95, method="higher")), 1),
    }


def write_codec(folder: Path) -> Path:
    """A codec folder of the real shape, with random weights."""
    folder.mkdir()
    modules = random_codec().modules
    (folder / "config.json").write_text(json.dumps(REAL_SHAPE), encoding="utf-8")
    weights = {name: tensor.contiguous() for name, tensor in modules.state_dict().items()}
    save_file(weights, folder / "model.safetensors")
    return folder


def stack_of(folder: Path, places: int, token_flags: Sequence[str], log: TextIO) -> Stack:
    """Three services of these shapes, with so many places, not started yet."""
    model = folder / "model"
    model.mkdir()
    room = [f"--max-streams={places}", "--reserve-streams=8"]
    shape = ["--engine=native", "--weights=dummy", "--precision=bf16", f"--context-tokens={CONTEXT_TOKENS}"]
    return Stack.on_free_ports(
        model=write_orpheus_shape(model),
        codec=write_codec(folder / "codec"),
        flags={"token_service": [*shape, *room, *token_flags], "audio_service": ["--device=cuda", *room]},
        sink=lambda line: print(line, file=log, flush=True),
    )


def measure(stack: Stack, counts: Sequence[int], processes: int) -> list[dict[str, Any]]:
    """A row for each number of listeners."""
    rows = []
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        together(stack.gateway_address, 1, processes, pool)  # the first finds cold caches everywhere
        for count in counts:
            rows.append(together(stack.gateway_address, count, processes, pool))
            print(json.dumps(rows[-1]), flush=True)
    return rows


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--listeners", type=int, nargs="+", default=[1, 64, 128, 192, 256])
    parser.add_argument("--processes", type=int, default=6, help="that the listeners are spread over (default 6)")
    parser.add_argument("--token-flags", nargs="*", default=[], metavar="FLAG", help="more flags of the token service")
    given = parser.parse_args()
    device, out = torch.cuda.get_device_name(), Path(os.environ.get("OUT") or RESULTS)
    with tempfile.TemporaryDirectory(prefix="swara-") as folder, (out / "card.log").open("w", encoding="utf-8") as log:
        try:
            with stack_of(Path(folder), max(given.listeners), given.token_flags, log) as stack:
                rows = measure(stack, given.listeners, given.processes)
        except SetupError as error:
            print(f"card: {error}", file=sys.stderr)
            raise SystemExit(1) from None
    found = {"device": device, "machine": describe(), "words": TEXT.count("word"), "rows": rows}
    (out / f"card-{file_name(device)}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
