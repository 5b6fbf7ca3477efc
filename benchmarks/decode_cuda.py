"""How exact and how fast the CUDA decoder is: `python -m benchmarks.decode_cuda`, on a machine with a CUDA device.

Real shape, random weights, noise on. Errors are those of streams that join, leave and resume, in steps of random
lengths, against one decode of each in float64 by the `snac` package. Times are of CUDA graphs, codes copied in and
audio copied out included. The last line is one JSON object; a longer one, named after the device, goes with a plot to
$OUT or benchmarks/results.
"""

import argparse
import copy
import json
import os
import statistics
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np
import torch
import triton

from audio_service.fused.decoder import FusedDecoder
from audio_service.fused.graphs import Shape
from audio_service.fused.launches import compile_all
from audio_service.fused.plan import END_FRAME, FIRST_FRAME, KEYS, LOUDNESS, SOURCE, TARGET
from audio_service.fused.precision import Precision
from audio_service.fused.rows import FusedRows
from audio_service.fused.tiles import standard
from audio_service.hops import HOPS_FRAMES
from audio_service.rows import Work
from audio_service.stream import NO_END, Taken, Voicing
from benchmarks.company import random_speakers, worst_error
from benchmarks.decode_plot import plot_cuda
from benchmarks.kernel_times import step_microseconds
from benchmarks.machine import describe, file_name
from benchmarks.tuning import Tuned, layer_times, stages, tune
from benchmarks.whole import levels, random_codec, whole_decode
from swara.frames import FRAME_SECONDS, SLOTS

RESULTS = Path(__file__).parent / "results"
SERVICE_STEPS, WARM_UP_STEPS = 60, 5
TUNE_SECONDS = 60.0
SECTIONS = ("errors", "copy", "layers", "steps", "modes", "service", "package")
ROWS = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 256)
MODES = (
    ("fp16x3", Precision.FP16X3, False),
    ("tf32x3", Precision.TF32X3, False),
    ("fp16x3, fast sine", Precision.FP16X3, True),
    ("tf32", Precision.TF32, True),
    ("bf16", Precision.BF16, True),
)


class Bench:
    """One run: its codec, and what it found out so far."""

    def __init__(self, device: torch.device, rows: int) -> None:
        self.device, self.rows = device, rows
        self.codec = random_codec()
        self.codec.modules.to(device)
        self.found: dict[str, Any] = {}
        self.tuned = Tuned()

    def section(self, name: str) -> None:
        """Runs one part; if it fails, says so and lets the others go on."""
        began = time.perf_counter()
        try:
            self.found[name] = getattr(self, name)()
        except Exception as error:
            traceback.print_exc()
            self.found[name] = {"error": _told(error)}
        self.found.setdefault("seconds", {})[name] = round(time.perf_counter() - began, 1)
        print(f"[{name}: {self.found['seconds'][name]} s]", flush=True)

    def decoder(self, precision: Precision = Precision.FP16X3, fast_sine: bool = False) -> FusedDecoder:
        """A decoder with the tiles chosen so far; they were chosen for FP16X3, other types need other room."""
        tiling = self.tuned if precision is Precision.FP16X3 else standard
        return FusedDecoder(self.codec, self.device, precision, tiling, fast_sine)

    def errors(self) -> dict[str, Any]:
        """The largest error of every mode, and of the package itself in float32."""
        exact = copy.deepcopy(self.codec.modules).double()
        speakers = random_speakers(self.codec, exact)
        plain = [whole_decode(self.codec.modules, s.codes, s.seed) for s in speakers]
        package = max(float(np.abs(a - s.reference).max()) for a, s in zip(plain, speakers, strict=True))
        loudest = max(float(np.abs(s.reference).max()) for s in speakers)
        print(f"loudest sample {loudest:.3f}; error of the package in float32 {package:.2e}")
        found: dict[str, Any] = {"loudest sample": loudest, "snac package, float32": package}
        for name, precision, fast_sine in MODES:
            try:
                found[name] = worst_error(self.decoder(precision, fast_sine), speakers)
            except Exception as error:
                found[name] = _told(error)
            print(f"error of {name:<20} {found[name]}", flush=True)
        return found

    def copy(self) -> dict[str, float]:
        """What the memory does at best: bytes read and written a second."""
        a = torch.randn(2**28, device=self.device)
        b = torch.empty_like(a)
        return {"terabytes_per_second": round(2 * a.nbytes / step_microseconds(lambda: b.copy_(a), 10) / 1e6, 3)}

    def layers(self) -> dict[str, Any]:
        """Chooses tiles for full steps, then times each layer: microseconds a stream-frame."""
        decoder = self.decoder()
        shape = self.shape(decoder, self.rows, 1)
        found = stages(decoder, *shape.parts)
        before = layer_times(found)
        trials = tune(found, self.tuned, TUNE_SECONDS)
        after = layer_times(found)
        for name in after:
            print(f"{name:<20} {before[name] / self.rows:8.3f} -> {after[name] / self.rows:8.3f} us a stream-frame")
        print(f"{'all layers':<20} {sum(before.values()) / self.rows:8.3f} -> {sum(after.values()) / self.rows:8.3f}")
        chosen = {f"{kind} {width}": str(tile) for (kind, width), tile in self.tuned.chosen.items()}
        for name, tile in chosen.items():
            print(f"  {name:<18} {tile}")
        return {"rows": self.rows, "standard_us": before, "tuned_us": after, "chosen": chosen, "trials": trials}

    def steps(self) -> list[dict[str, Any]]:
        """The table: rows by hops, in the exact mode."""
        return self._table(self.decoder(), "fp16x3", [rows for rows in ROWS if rows <= self.rows], HOPS_FRAMES)

    def modes(self) -> list[dict[str, Any]]:
        """The other modes at both ends of the table."""
        lines = []
        for name, precision, fast_sine in MODES[1:]:
            try:
                lines += self._table(self.decoder(precision, fast_sine), name, [1, self.rows], [1])
            except Exception as error:
                lines.append({"mode": name, "error": _told(error)})
                print(lines[-1], flush=True)
        return lines

    def service(self) -> list[dict[str, Any]]:
        """Whole steps as the service takes them, on the clock: from codes in numpy to audio in numpy."""
        lines = []
        for count in (1, self.rows):
            rows = FusedRows(self.decoder(), count, count)
            rows.warm_up([(count, 1)])
            codes, keys = np.zeros((1, SLOTS), np.uint16), rows.keys(Voicing(0))
            seconds = []
            for at in range(SERVICE_STEPS):
                works = [Work(row, at == 0, keys, 1.0, Taken(codes, at, NO_END)) for row in range(count)]
                began = time.perf_counter()
                rows.run(works)
                seconds.append(time.perf_counter() - began)
            lines.append({"rows": count, "hop": 1, "milliseconds": 1000 * statistics.median(seconds[WARM_UP_STEPS:])})
            print(f"service step of {count} rows: {lines[-1]['milliseconds']:.3f} ms", flush=True)
        return lines

    def package(self) -> list[dict[str, Any]]:
        """The plain ways, in float32 and with TF32 in torch's products."""
        try:
            lines = self._package("fp32")
            _allow_tf32(True)
            return lines + self._package("tf32")
        finally:
            _allow_tf32(False)

    def _package(self, numbers: str) -> list[dict[str, Any]]:
        """The package decoding the same frames at once, and a window of 3 + 1 + 3 frames for each."""
        lines = []
        for name, rows, frames, useful in (
            ("plain", 64, 7, 7), ("plain", self.rows, 1, 1), ("window 3+1+3", 64, 7, 1), ("plain", 1, 1, 1)
        ):  # fmt: skip
            milliseconds = self._whole_milliseconds(rows, frames)
            lines.append(_line(f"snac {name}, {numbers}", rows, useful, milliseconds))
            print(_text(lines[-1]), flush=True)
        return lines

    def _whole_milliseconds(self, rows: int, frames: int) -> float:
        codes = torch.randint(0, self.codec.codebook_size, (rows, frames, SLOTS), device=self.device)
        modules = self.codec.modules
        return step_microseconds(lambda: modules.decode(levels(codes)), 15) / 1000

    def shape(self, decoder: FusedDecoder, rows: int, frames: int) -> Shape:
        """A step in the middle of utterances of random codes, its kernels compiled."""
        size = rows * frames * decoder.floats_per_frame
        signals = (torch.randn(size, device=self.device), torch.randn(size, device=self.device))
        shape = Shape(decoder, decoder.new_states(2 * rows), signals, rows, frames)
        plan, random = shape.plan.numpy(), np.random.default_rng(0)
        first_code = decoder.first_code_column
        plan[:, SOURCE], plan[:, TARGET] = np.arange(rows) * 2, np.arange(rows) * 2 + 1
        plan[:, FIRST_FRAME], plan[:, END_FRAME], plan[:, LOUDNESS] = 100, NO_END, np.float32(1).view(np.int32)
        plan[:, KEYS:first_code] = random.integers(-(2**63), 2**63, (rows, decoder.noise_layers))
        plan[:, first_code:] = random.integers(0, decoder.codebook_size, (rows, frames * SLOTS))
        compile_all([shape.compile])
        return shape

    def _table(self, decoder: FusedDecoder, mode: str, rows: Any, hops: Any) -> list[dict[str, Any]]:
        lines = []
        for hop in hops:
            for count in rows:
                with torch.inference_mode():
                    shape = self.shape(decoder, count, hop)
                    lines.append(_line(mode, count, hop, step_microseconds(shape.queue) / 1000))
                print(_text(lines[-1]), flush=True)
        return lines


def _allow_tf32(allowed: bool) -> None:
    """For torch's own products and convolutions."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = allowed


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _line(mode: str, rows: int, hop: int, milliseconds: float) -> dict[str, Any]:
    frame_us = 1000 * milliseconds / (rows * hop)
    return {
        "mode": mode,
        "rows": rows,
        "hop": hop,
        "milliseconds": round(milliseconds, 4),
        "us_a_stream_frame": round(frame_us, 2),
        "times_real_time": round(FRAME_SECONDS * 1e6 / frame_us),
    }


def _text(line: dict[str, Any]) -> str:
    return (
        f"{line['mode']:<24}rows {line['rows']:>4} hop {line['hop']}  {line['milliseconds']:>9.3f} ms"
        f"{line['us_a_stream_frame']:>10.2f} us a stream-frame{line['times_real_time']:>8} x real time"
    )


def main() -> None:
    """Runs every section."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decode_cuda", description="measures the CUDA decoder")
    parser.add_argument("--rows", type=int, default=256, help="the largest number of streams")
    parser.add_argument("--skip", nargs="*", default=[], choices=SECTIONS, help="sections to leave out")
    given = parser.parse_args()
    _allow_tf32(False)
    bench = Bench(torch.device("cuda"), given.rows)
    bench.found |= {"device": torch.cuda.get_device_name(), "machine": describe()}
    bench.found |= {"torch": torch.__version__, "triton": triton.__version__}
    for name in SECTIONS:
        if name not in given.skip:
            bench.section(name)
    _write(bench.found)
    layers = bench.found.get("layers", {})
    for name in ("trials", "standard_us", "tuned_us"):
        layers.pop(name, None)
    print(json.dumps(bench.found))


def _write(found: dict[str, Any]) -> None:
    """The result and its picture."""
    folder = Path(os.environ.get("OUT") or RESULTS)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"decode-{file_name(found['device'])}.json"
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    plot_cuda(found, path.with_suffix(".png"))


if __name__ == "__main__":
    main()
