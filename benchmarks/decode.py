"""How fast and how exact the codec decodes on the CPU: `python -m benchmarks.decode`.

Streams that run side by side take steps of a fixed number of frames, from codes to floats; beside them a window of
3+1+3 frames through the `snac` package, which gives one frame. Errors are against the package's whole decode with the
same noise. Prints a table and, as its last line, one JSON object, which also goes to benchmarks/results/decode-cpu.json
with a plot beside it. The real shape's weights are random, which changes no speed.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from audio_service.codec import Codec, load_codec
from audio_service.decoder import Decoder
from audio_service.hops import HOPS_FRAMES
from audio_service.rows import Rows, Work
from audio_service.stream import Delays, Taken, Voicing, filled
from benchmarks.decode_plot import plot_cpu
from benchmarks.machine import describe
from benchmarks.whole import levels, random_codec, whole_decode
from swara.frames import FRAME_SECONDS, SAMPLES_PER_FRAME, SLOTS, Codes
from swara.stack import WEIGHTS

RESULT = Path(__file__).parent / "results" / "decode-cpu.json"
FRAMES, WINDOW_FRAMES = 24, 7
SEED = 0
WARM_UP_STEPS = 5
HEADER = "codec       threads  way             streams    median ms   best ms    cpu ms   x real time   max error"


@dataclass(frozen=True)
class Timed:
    """One step's time on the clock, and of the CPU over all threads."""

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Line:
    """One line of the table; a step gives `frames` frames to each of `streams` streams."""

    codec: str
    threads: int
    way: str
    streams: int
    frames: int
    step_seconds_median: float
    step_seconds_best: float
    step_cpu_seconds_median: float
    times_real_time: float
    max_abs_error: float | None
    state_bytes: int | None


def main() -> None:
    """Measures every codec, thread count, number of streams and hop."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decode", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=40, help="steps of each kind (default 40)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="thread counts (default 1 2)")
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 4], help="streams side by side (default 1 4)")
    parser.add_argument("--codec", default=str(WEIGHTS / "codec"), help="folder or hub id, beside the real shape")
    parser.add_argument("--name", default="demo codec", help="what the table calls that codec")
    given = parser.parse_args()
    print(HEADER)
    lines = []
    for name, codec in {"real shape": random_codec(), given.name: load_codec(given.codec)}.items():
        for line in measured(name, codec, given):
            print(_row(line), flush=True)
            lines.append(line)
    machine = describe()
    report: dict[str, object] = {"device": machine["processor"], "machine": machine, "torch": torch.__version__}
    report["results"] = [asdict(line) for line in lines]
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    plot_cpu(report, RESULT.with_suffix(".png"))
    print(json.dumps(report))


def measured(name: str, codec: Codec, given: argparse.Namespace) -> Iterator[Line]:
    """The lines of one codec."""
    codes = np.random.default_rng(SEED).integers(0, codec.codebook_size, (FRAMES, SLOTS)).astype(np.uint16)
    decoder, whole = Decoder(codec, torch.device("cpu")), whole_decode(codec.modules, codes, SEED)
    for threads in given.threads:
        torch.set_num_threads(threads)
        yield _line(name, threads, "window 3+1+3", 1, 1, windows(codec, codes, given.steps))
        for streams in given.streams:
            for hop in HOPS_FRAMES:
                times, audio = stepped(decoder, codes, hop, streams, given.steps)
                error = float(np.abs(audio - whole).max())
                yield _line(name, threads, f"step of {hop}", streams, hop, times, error, decoder.state_bytes)


def stepped(
    decoder: Decoder, codes: Codes, hop: int, streams: int, steps: int
) -> tuple[list[Timed], NDArray[np.float32]]:
    """Times of steps of `hop` frames, over and over the utterance, and its audio [streams, F * 2048]."""
    rows, reach = Rows(decoder, streams), decoder.reach_samples
    keys, end_frame = rows.keys(Voicing(SEED)), len(codes) + Delays(reach, decoder.warm_up_samples).flush_frames
    times, parts = list[Timed](), list[NDArray[np.float32]]()
    while len(times) < WARM_UP_STEPS + steps:
        parts.clear()
        for first in range(0, end_frame, hop):
            taken = Taken(filled(codes[first : first + hop], hop), first, len(codes))
            works = [Work(row, first == 0, keys, 1.0, taken) for row in range(streams)]
            began, began_cpu = time.perf_counter(), time.process_time()
            parts.append(rows.run(works))
            times.append(Timed(time.perf_counter() - began, time.process_time() - began_cpu))
    return times, np.concatenate(parts, 1)[:, reach : reach + len(codes) * SAMPLES_PER_FRAME]


@torch.inference_mode()
def windows(codec: Codec, codes: Codes, steps: int) -> list[Timed]:
    """Times of the package's decode of seven frames, with fresh noise as it comes: so its error is not measured."""
    window, times = torch.from_numpy(codes[None, :WINDOW_FRAMES].astype(np.int64)), list[Timed]()
    for _ in range(WARM_UP_STEPS + steps):
        began, began_cpu = time.perf_counter(), time.process_time()
        codec.modules.decode(levels(window)).numpy()
        times.append(Timed(time.perf_counter() - began, time.process_time() - began_cpu))
    return times


def _line(
    name: str,
    threads: int,
    way: str,
    streams: int,
    frames: int,
    times: Sequence[Timed],
    error: float | None = None,
    state_bytes: int | None = None,
) -> Line:
    clock = [timed.seconds for timed in times[WARM_UP_STEPS:]]
    median, cpu = statistics.median(clock), statistics.median(timed.cpu_seconds for timed in times[WARM_UP_STEPS:])
    speed = streams * frames * FRAME_SECONDS / median
    return Line(name, threads, way, streams, frames, median, min(clock), cpu, speed, error, state_bytes)


def _row(line: Line) -> str:
    times = (line.step_seconds_median, line.step_seconds_best, line.step_cpu_seconds_median)
    figures = "".join(f"{1000 * seconds:>10.2f}" for seconds in times)
    error = "-" if line.max_abs_error is None else f"{line.max_abs_error:.1e}"
    head = f"{line.codec:<12}{line.threads:>7}  {line.way:<16}{line.streams:>7}  "
    return f"{head}{figures}{line.times_real_time:>14.1f}{error:>12}"


if __name__ == "__main__":
    main()
