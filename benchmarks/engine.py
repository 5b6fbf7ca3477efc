"""How fast each engine speaks, streams by precision by engine: `python -m benchmarks.engine`.

Every stream is asked of a real token service over gRPC and read to its end; `vllm-raw` is vLLM's own async API without
the service, the grammar and gRPC. All streams of a row begin within 100 ms.

The engines are loaded side by side and take turns, a row each: nobody runs while another measures, and each round
begins with another one. All of them must fit, so on a GPU say how much memory each has for attention. Every round's
rows and their medians go to engine-<device>.json and .png in $OUT or benchmarks/results; the last line is that JSON.
On a GPU:

    python -m benchmarks.engine --model orpheus-3b --engines native vllm vllm-raw --precisions bf16 --rounds 3 \\
        --streams 1 64 256 --context-tokens 512 --kv-cache-bytes 16000000000
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.engine_plot import plot
from benchmarks.engine_raw import RawUnderTest
from benchmarks.engine_rounds import RAW, medians
from benchmarks.engine_turns import Measured, side_by_side, take_turns
from benchmarks.machine import describe, file_name
from benchmarks.orpheus_shape import write_orpheus_shape
from benchmarks.token_service import TokenServiceUnderTest

RESULTS = Path(__file__).parent / "results"
DEMO = Path(__file__).parents[1] / "demo_model" / "weights" / "language_model"
SHAPE = "orpheus-3b"
# With fewer a stream may come in one message, which has no rate.
LEAST_FRAMES = 8
# Makes a prompt of 48 tokens of the shape's tokenizer.
SHAPE_TEXT = " ".join(["word"] * 39) + " ."
DEMO_TEXT = "आज मौसम बहुत अच्छा है और हम बाज़ार जा रहे हैं।"


@contextmanager
def model(name: str) -> Iterator[tuple[list[str], str]]:
    """The token service's flags for a model, and a text for it."""
    if name == "demo":
        yield [f"--model={DEMO}"], DEMO_TEXT
    elif name == SHAPE:
        with tempfile.TemporaryDirectory(prefix="swara-") as folder:
            yield [f"--model={write_orpheus_shape(Path(folder))}", "--weights=dummy"], SHAPE_TEXT
    else:
        yield [f"--model={name}"], DEMO_TEXT


def measure(given: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows of all rounds; the engines of a precision stand side by side and take turns."""
    rows: list[dict[str, Any]] = []
    counts = list(dict.fromkeys(given.streams))
    for precision in given.precisions:
        with model(given.model) as (flags, text):
            flags += [f"--precision={precision}", f"--max-streams={max(counts)}", "--reserve-streams=0"]
            flags += [f"--context-tokens={given.context_tokens}", f"--kv-cache-bytes={given.kv_cache_bytes}"]
            print(f"at {precision}: {', '.join(given.engines)}", file=sys.stderr)
            starts = {engine: partial(start, engine, flags, text) for engine in given.engines}
            with side_by_side(starts) as engines:
                for row in take_turns(engines, counts, given.frames, given.rounds):
                    rows.append({"precision": precision, **row})
                    print(json.dumps(rows[-1]), flush=True)
    return rows


def start(engine: str, flags: Sequence[str], text: str) -> Measured:
    """One engine in a process of its own, behind its token service where it has one; raises SetupError."""
    return RawUnderTest(flags, text) if engine == RAW else TokenServiceUnderTest(engine, flags, text)


def device() -> str:
    """The GPU's name, or the processor's."""
    try:
        import torch
    except ImportError:
        return str(describe()["processor"])
    return torch.cuda.get_device_name() if torch.cuda.is_available() else str(describe()["processor"])


def at_least(bound: int) -> Callable[[str], int]:
    """An argument that is a whole number from `bound` on."""

    def number(text: str) -> int:
        if int(text) < bound:
            raise argparse.ArgumentTypeError(f"must be at least {bound}")
        return int(text)

    return number


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="demo", help=f"demo, {SHAPE} (random weights), or a model folder")
    parser.add_argument("--engines", nargs="+", default=["native"], help=f"engines of the token service, and {RAW}")
    parser.add_argument("--precisions", nargs="+", default=["auto"])
    parser.add_argument("--streams", type=at_least(1), nargs="+", default=[1, 4])
    parser.add_argument(
        "--rounds", type=at_least(1), default=1, help="in each, every engine gives one row a number of streams"
    )
    parser.add_argument("--frames", type=at_least(LEAST_FRAMES), default=60, help="that each stream speaks")
    parser.add_argument("--context-tokens", type=int, default=1024)
    parser.add_argument(
        "--kv-cache-bytes", type=int, default=0, help="of each engine; 0 is room for every place's context"
    )
    given = parser.parse_args()
    rounds = measure(given)
    if not rounds:
        parser.exit(1, "nothing was measured\n")
    found = {"device": device(), "machine": describe(), "model": given.model, "frames": given.frames}
    found |= {"rows": medians(rounds), "rounds": rounds}
    folder = Path(os.environ.get("OUT") or RESULTS)
    name = file_name(str(found["device"]))
    (folder / f"engine-{name}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    plot(found, folder / f"engine-{name}.png")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
