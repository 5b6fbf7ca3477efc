"""The language model and the codec on one card, as two processes: `python -m benchmarks.contention`.

Each runs alone, then beside the other: frames of `--streams` streams from the CUDA engine without pause, and codec
steps of as many rows, without pause and at the pace of real time; with the codec's stream at the highest priority, and
at the usual one; and all of it again under MPS where its daemon starts. The last line is one JSON object, also in
contention-<device>.json in $OUT or benchmarks/results.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import torch

from benchmarks.machine import file_name
from swara.frames import FRAME_SECONDS, SLOTS

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
READY_SECONDS = 150.0
HIGHEST_PRIORITY = -5

Step = Callable[[], None]
"""Does a frame for all streams and waits for it."""


def language_model(streams: int, priority: int) -> Step:
    """Frames of the CUDA engine; whoever reaches the end of the context begins again."""
    from benchmarks.engine_speed import CONTEXT_TOKENS, model
    from benchmarks.orpheus import PROFILE, PROMPT_TOKENS, request
    from token_service.engines.native.stream import Stream
    from token_service.grammar import SlotGrammar

    made = model(torch.device("cuda"), streams, {})
    frames = (CONTEXT_TOKENS - PROMPT_TOKENS) // SLOTS
    grammar, speakers = SlotGrammar(PROFILE), list[Stream]()
    left = 0

    def begin() -> None:
        for speaker in speakers:
            made.give_back(speaker.cache_slot)
        asked = [request(index, frames) for index in range(streams)]
        speakers[:] = [Stream(given, grammar, made.take(given.most_tokens) or 0) for given in asked]
        for speaker in speakers:
            made.join(speaker)
        while not all(speaker.ready for speaker in speakers):
            made.read(speakers)

    def step() -> None:
        nonlocal left
        if left == 0:
            begin()
            left = frames
        left -= 1
        made.queue(speakers)
        made.spoken()

    return step


def codec(rows: int, priority: int) -> Step:
    """Steps of one frame of each row of the fused decoder, on a stream of this priority."""
    from audio_service.fused.decoder import FusedDecoder
    from benchmarks.decode_cuda import Bench

    bench = Bench(torch.device("cuda"), rows)
    shape = bench.shape(FusedDecoder(bench.codec, bench.device), rows, 1)
    stream = torch.cuda.Stream(priority=priority)
    torch.cuda.synchronize()
    with torch.cuda.stream(stream):
        shape.capture(stream, torch.cuda.graph_pool_handle())

    def step() -> None:
        with torch.cuda.stream(stream):
            shape.run()
        stream.synchronize()

    return step


MAKERS = {"language model": language_model, "codec": codec}


def work(name: str, streams: int, priority: int, paced: bool, seconds: float, start: Barrier, results: Any) -> None:
    """A process: makes its part, waits for the other, steps for so long, and puts the milliseconds of its steps."""
    try:
        with torch.inference_mode():
            step = MAKERS[name](streams, priority)
            for _ in range(3):
                step()
            start.wait(READY_SECONDS)
            results.put((name, _stepped(step, paced, seconds)))
    except Exception as error:
        start.abort()
        traceback.print_exc(limit=-5)
        results.put((name, f"{type(error).__name__}: {error}"[:300]))


def _stepped(step: Step, paced: bool, seconds: float) -> list[float]:
    times, began = list[float](), time.perf_counter()
    while (now := time.perf_counter()) - began < seconds:
        step()
        times.append(1000 * (time.perf_counter() - now))
        if paced:
            time.sleep(max(0.0, FRAME_SECONDS - (time.perf_counter() - now)))
    return times


def together(names: list[str], streams: int, priority: int, paced: bool, seconds: float) -> dict[str, Any]:
    """The named parts at once: the median and the 99th percentile of each one's steps in milliseconds."""
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(len(names)), context.Queue()
    jobs = [
        context.Process(
            target=work,
            args=(
                name,
                streams,
                priority if name == "codec" else 0,
                paced and name == "codec",
                seconds,
                start,
                results,
            ),
        )
        for name in names
    ]
    for job in jobs:
        job.start()
    try:
        told = dict(results.get(timeout=READY_SECONDS + seconds) for _ in jobs)
    finally:
        for job in jobs:
            job.join(10.0)
            job.kill()
    return {name: _summary(times) for name, times in told.items()}


def _summary(times: list[float] | str) -> Any:
    if isinstance(times, str):
        return {"error": times}
    ordered = sorted(times)
    return {
        "steps": len(times),
        "median_ms": round(statistics.median(times), 3),
        "p99_ms": round(ordered[int(0.99 * (len(ordered) - 1))], 3),
    }


@contextmanager
def mps() -> Iterator[bool]:
    """NVIDIA's multi-process service in folders of its own while the block runs; False where it does not start."""
    if not shutil.which("nvidia-cuda-mps-control"):
        yield False
        return
    with tempfile.TemporaryDirectory(prefix="mps-") as folder:
        places = {"CUDA_MPS_PIPE_DIRECTORY": folder, "CUDA_MPS_LOG_DIRECTORY": folder}
        os.environ |= places
        try:
            begun = subprocess.run(["nvidia-cuda-mps-control", "-d"], check=False, timeout=20).returncode == 0
            yield begun
            if begun:
                subprocess.run(["nvidia-cuda-mps-control"], input="quit\n", encoding="ascii", check=False, timeout=20)
        finally:
            for name in places:
                os.environ.pop(name, None)


def main() -> None:
    """All pairings."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contention", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--streams", type=int, default=128, help="of the language model, and rows of the codec")
    parser.add_argument("--seconds", type=float, default=4.0, help="that each pairing steps")
    given = parser.parse_args()
    found: dict[str, Any] = {"device": torch.cuda.get_device_name(), "streams": given.streams}
    both = ["language model", "codec"]

    def pairing(label: str, names: list[str], priority: int, paced: bool) -> None:
        try:
            found[label] = together(names, given.streams, priority, paced, given.seconds)
        except Exception as error:
            found[label] = {"error": f"{type(error).__name__}: {error}"[:300]}
        print(f"{label}: {json.dumps(found[label])}", flush=True)

    pairing("language model alone", both[:1], 0, False)
    pairing("codec alone", both[1:], 0, False)
    pairing("both, codec at real time, usual priority", both, 0, True)
    pairing("both, codec at real time, highest priority", both, HIGHEST_PRIORITY, True)
    pairing("both, codec without pause", both, HIGHEST_PRIORITY, False)
    with mps() as runs:
        if runs:
            pairing("MPS, both, codec at real time", both, HIGHEST_PRIORITY, True)
            pairing("MPS, both, codec without pause", both, HIGHEST_PRIORITY, False)
        else:
            found["MPS"] = "its daemon does not start here"
            print(found["MPS"])
    folder = Path(os.environ.get("OUT") or RESULTS)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"contention-{file_name(found['device'])}.json").write_text(
        json.dumps(found, indent=1) + "\n", encoding="utf-8"
    )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
