"""Checks, tunes and measures the CUDA engine: `python -m benchmarks.engine_cuda`, on a machine with a CUDA device.

Orpheus' shape, random weights. Each section is a process of its own with a limit of time, so that one that fails or
hangs does not spoil the others (--skip, --only leave some out). Tiles found by `tune` are used by what follows, and
printed as a table for tiles.py. The last line is one JSON object; a longer one, engine-cuda.json, goes to $OUT or
benchmarks/results.
"""

import argparse
import gc
import json
import logging
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import torch
import triton

from benchmarks import engine_kernels, engine_speed, engine_tuning
from benchmarks.kernel_times import graph_microseconds
from token_service.engines.native.cuda.matrix import Storage
from token_service.engines.native.cuda.open import EARLY_CAPABILITY
from token_service.engines.native.cuda.tiles import TUNED, TUNED_EIGHT_BIT, Shares, Tile, Tuned, as_json, as_text

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
COUNTS = (1, 8, 32, 64, 128, 192, 256)


class Bench:
    """One run: what it found out so far."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.device = torch.device("cuda")
        self.early = torch.cuda.get_device_capability() >= EARLY_CAPABILITY and not given.no_early
        self.tuned: Tuned = dict(TUNED)
        self.tuned_eight_bit: Tuned = dict(TUNED_EIGHT_BIT)
        for section, tuned in (("tune", self.tuned), ("tune8", self.tuned_eight_bit)):
            tuned |= _read_tiles(given.tiles, section)

    def section(self, name: str) -> dict[str, Any]:
        """Runs one part; what it found, or why it failed."""
        try:
            with torch.inference_mode():
                return {name: getattr(self, name)()}
        except Exception as error:
            traceback.print_exc(limit=-6)
            return {name: {"error": f"{type(error).__name__}: {error}"[:500]}}

    def bandwidth(self) -> dict[str, float]:
        """What memory does at best: bytes copied, and bytes read only."""
        a = torch.randn(2**28, device=self.device)
        b = torch.empty_like(a)
        copy = 2 * a.nbytes / graph_microseconds(lambda: b.copy_(a)) / 1e6
        read = a.nbytes / graph_microseconds(lambda: a.sum()) / 1e6
        print(f"copy {copy:.2f} TB/s, sum {read:.2f} TB/s", flush=True)
        return {"copy_terabytes_per_second": copy, "sum_terabytes_per_second": read}

    def errors(self) -> Any:
        """Each kernel against plain torch."""
        return engine_kernels.errors(self.device, self.early)

    def repeats(self) -> Any:
        """Whether steps repeat themselves, early starts or not."""
        return engine_kernels.step_repeats(self.device)

    def tune(self) -> Any:
        """Chooses cuts for bfloat16."""
        budget = 0.9 * self.given.tune_seconds
        tuned, lines = engine_tuning.tune(self.device, self.early, Storage.WHOLE, (1, 4, 16, 64, 256), budget)
        self.tuned |= tuned
        print("TUNED: Tuned = {\n" + as_text(self.tuned) + "\n}", flush=True)
        return {"lines": lines, "tiles": as_json(self.tuned)}

    def tune8(self) -> Any:
        """Chooses cuts for eight-bit weights."""
        budget = 0.5 * self.given.tune_seconds
        tuned, lines = engine_tuning.tune(self.device, self.early, Storage.FP8, (1, 64, 256), budget)
        self.tuned_eight_bit |= tuned
        print("TUNED_EIGHT_BIT: Tuned = {\n" + as_text(self.tuned_eight_bit) + "\n}", flush=True)
        return {"lines": lines, "tiles": as_json(self.tuned_eight_bit)}

    def steps(self) -> Any:
        """The step by itself; the best number of columns to ask for ahead is kept for what follows."""
        lines = engine_tuning.step_times(self.device, self.early, self.tuned, (1, 4, 64, 256))
        ones = [line for line in lines if line["rows"] == 1 and "ahead" in line["how"]]
        best = min(ones, key=lambda line: line["step_us"])
        print(f"at one row the best is {best['how']}", flush=True)
        return lines

    def speed(self) -> Any:
        """Tokens a second, first frames and profile in bfloat16."""
        made = engine_speed.model(self.device, 256, self.tuned)
        found: dict[str, Any] = {"rows": engine_speed.speeds(made, "bf16", COUNTS)}
        for name, work in (
            ("profile", lambda: [engine_speed.profiled(made, count) for count in (1, 64, 256)]),
            ("fast agreement", lambda: engine_speed.agreement(made, 256)),
            ("served", lambda: engine_speed.served(made, (1, 64, 256))),
        ):
            try:
                found[name] = work()
            except Exception as error:
                traceback.print_exc(limit=-4)
                found[name] = {"error": f"{type(error).__name__}: {error}"[:300]}
        return found

    def deterministic(self) -> Any:
        """What the same codes in any company cost."""
        made = engine_speed.model(self.device, 256, {}, deterministic=True)
        return {"rows": engine_speed.speeds(made, "bf16, deterministic", (1, 64, 256)),
                "agreement": engine_speed.agreement(made, 256)}  # fmt: skip

    def precisions(self) -> Any:
        """Other weights and caches."""
        lines: list[dict[str, Any]] = []
        for name, changes in engine_speed.PRECISIONS.items():
            tuned = self.tuned_eight_bit if "storage" in changes else self.tuned
            try:
                made = engine_speed.model(self.device, 256, tuned, **changes)
                lines += engine_speed.speeds(made, name, (1, 64, 256))
            except Exception as error:
                traceback.print_exc(limit=-4)
                lines.append({"precision": name, "error": f"{type(error).__name__}: {error}"[:300]})
            made = None  # type: ignore[assignment]
            gc.collect()
            torch.cuda.empty_cache()
        return lines

    def plain(self) -> Any:
        """The same loop and graphs with torch's own operations: if this fails too, the kernels are not to blame."""
        made = engine_speed.model(self.device, 4, {}, kernels="torch", read_rows=(64,))
        return engine_speed.speeds(made, "bf16, torch kernels", (1, 4))


def _read_tiles(path: str | None, section: str) -> Tuned:
    """Tiles of an engine-cuda.json."""
    found = json.loads(Path(path).read_text(encoding="utf-8")) if path and Path(path).is_file() else {}
    tuned: Tuned = {}
    for entry in found.get(section, {}).get("tiles", []):
        tile = entry["tile"]
        kind = Shares if entry["kind"] == "attention" else Tile
        tuned[entry["kind"], entry["rows"]] = kind(**tile) if tile else None
    return tuned


def apart(name: str, seconds: int, result: Path, given: argparse.Namespace) -> None:
    """A section in a process of its own, which adds what it found to the result."""
    began = time.perf_counter()
    print(f"== {name} (at most {seconds} s)", flush=True)
    command = [sys.executable, "-m", "benchmarks.engine_cuda", "--inside", name, "--tiles", str(given.tiles or result)]
    command += ["--tune-seconds", str(given.tune_seconds), *(["--no-early"] if given.no_early else [])]
    found = json.loads(result.read_text(encoding="utf-8"))
    part = result.with_suffix(f".{name}.part")
    try:
        code = subprocess.run([*command, "--result", str(part)], timeout=seconds).returncode
        error = f"it ended with exit code {code}"
    except subprocess.TimeoutExpired:
        error = f"it was ended after {seconds} s"
    told = part.read_text(encoding="utf-8") if part.is_file() else json.dumps({name: {"error": error}})
    part.unlink(missing_ok=True)
    found |= json.loads(told)
    found.setdefault("seconds", {})[name] = round(time.perf_counter() - began, 1)
    result.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"== {name} took {found['seconds'][name]} s", flush=True)


def main() -> None:
    """Runs the sections."""
    sections = {
        "bandwidth": 20, "errors": 60, "repeats": 30, "plain": 60, "tune": 0, "steps": 60, "speed": 120,
        "deterministic": 60, "tune8": 0, "precisions": 120,
    }  # fmt: skip
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.engine_cuda", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--only", nargs="*", choices=sections, help="the sections to run")
    parser.add_argument("--skip", nargs="*", default=[], choices=sections, help="sections to leave out")
    parser.add_argument("--tune-seconds", type=int, default=100, help="time for the search; half of it for eight bits")
    parser.add_argument("--tiles", help="engine-cuda.json of an earlier run: its tiles instead of those found now")
    parser.add_argument("--no-early", action="store_true", help="no kernel starts before the one before has ended")
    parser.add_argument("--inside", choices=sections, help=argparse.SUPPRESS)
    parser.add_argument("--result", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        logging.basicConfig(level=logging.INFO, format="%(message)s")
        given.result.write_text(json.dumps(Bench(given).section(given.inside)), encoding="utf-8")
        return
    sections |= {"tune": given.tune_seconds + 40, "tune8": given.tune_seconds // 2 + 40}
    folder = Path(os.environ.get("OUT") or RESULTS)
    folder.mkdir(parents=True, exist_ok=True)
    result = folder / "engine-cuda.json"
    machine = {"device": torch.cuda.get_device_name(), "torch": torch.__version__, "triton": triton.__version__}
    result.write_text(json.dumps(machine), encoding="utf-8")
    for name, seconds in sections.items():
        if name not in given.skip and (not given.only or name in given.only):
            apart(name, seconds, result, given)
    found = json.loads(result.read_text(encoding="utf-8"))
    print(json.dumps(machine | {"seconds": found.get("seconds"), "rows": found.get("speed", {}).get("rows")}))


if __name__ == "__main__":
    main()
