"""How fast the codec decodes on this machine: `python -m benchmarks.decode`.

Prints a table and, as its last line, one JSON object, which also goes to benchmarks/results/decode-cpu.json. It is one
stream; a step of h frames gives h * 85.3 ms of audio. The real shape's weights are random, which changes no speed.
"""

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from snac import SNAC

from audio_service.codec import Codec, load_codec
from audio_service.decoder import Decoder
from audio_service.hops import HOPS_FRAMES
from audio_service.rows import Rows, Work
from audio_service.stream import NO_END, Taken
from benchmarks.machine import describe
from swara.frames import FRAME_SECONDS, SLOTS

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "benchmarks" / "results" / "decode-cpu.json"
DEMO_CODEC = ROOT / "demo_model" / "weights" / "codec"
WARM_UP_STEPS = 5


def main() -> None:
    """Measures every codec, thread count and hop."""
    parser = argparse.ArgumentParser(description="measures decode steps on the CPU")
    parser.add_argument("--steps", type=int, default=40, help="steps of each kind")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="thread counts")
    arguments = parser.parse_args()
    print(f"{'codec':<12}{'threads':>8}{'hop':>5}{'median ms':>11}{'best ms':>9}{'cpu ms':>8}{'x real time':>13}")
    results = []
    for name, codec in {"real shape": real_shape(), "demo codec": load_codec(str(DEMO_CODEC))}.items():
        decoder = Decoder(codec, torch.device("cpu"))
        for threads in arguments.threads:
            torch.set_num_threads(threads)
            results += [measured(name, decoder, threads, hop, arguments.steps) for hop in HOPS_FRAMES]
    machine = describe()
    report = {"device": machine["processor"], "machine": machine, "torch": torch.__version__, "results": results}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(report))


def measured(name: str, decoder: Decoder, threads: int, hop: int, steps: int) -> dict[str, Any]:
    """One line of the table."""
    seconds, cpu_seconds = step_seconds(decoder, hop, steps)
    median, best = statistics.median(seconds), min(seconds)
    speed = hop * FRAME_SECONDS / median
    cpu = statistics.median(cpu_seconds)
    figures = f"{1000 * median:>11.2f}{1000 * best:>9.2f}{1000 * cpu:>8.2f}{speed:>13.1f}"
    print(f"{name:<12}{threads:>8}{hop:>5}{figures}", flush=True)
    return {
        "codec": name,
        "threads": threads,
        "hop_frames": hop,
        "step_seconds_median": median,
        "step_seconds_best": best,
        "step_cpu_seconds_median": cpu,
        "times_real_time": speed,
        "state_bytes": decoder.state_bytes,
    }


def step_seconds(decoder: Decoder, hop: int, steps: int) -> tuple[list[float], list[float]]:
    """Times of the steps of one running stream, from codes to floats: on the clock, and of the CPU over all threads."""
    rows, random = Rows(decoder, 1), np.random.default_rng(0)
    keys, seconds = tuple(range(decoder.noise_layers)), list[tuple[float, float]]()
    for step in range(WARM_UP_STEPS + steps):
        codes = random.integers(0, decoder.codebook_size, (hop, SLOTS)).astype(np.uint16)
        work = Work(0, step == 0, keys, 1.0, Taken(codes, step * hop, NO_END))
        began, began_cpu = time.perf_counter(), time.process_time()
        rows.run([work])
        seconds.append((time.perf_counter() - began, time.process_time() - began_cpu))
    clock, cpu = zip(*seconds[WARM_UP_STEPS:], strict=True)
    return list(clock), list(cpu)


def real_shape() -> Codec:
    """hubertsiuzdak/snac_24khz's shape."""
    torch.manual_seed(0)
    modules = SNAC(
        sampling_rate=24_000,
        encoder_dim=48,
        encoder_rates=[2, 4, 8, 8],
        decoder_dim=1024,
        decoder_rates=[8, 8, 4, 2],
        attn_window_size=None,
        codebook_size=4096,
        codebook_dim=8,
        vq_strides=[4, 2, 1],
    )
    modules.eval().requires_grad_(False)
    return Codec(modules, "random", modules.sampling_rate, modules.codebook_size)


if __name__ == "__main__":
    main()
