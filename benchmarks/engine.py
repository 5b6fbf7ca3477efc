"""How fast each engine speaks, streams by precision by engine: `python -m benchmarks.engine`.

Every stream is asked of a real token service over gRPC and read to its end; `vllm-raw` is vLLM's own async API without
the service, the grammar and gRPC. All streams of a row begin within 100 ms. The table and a plot go to $OUT or
benchmarks/results; the last line is one JSON object. On a GPU:

    python -m benchmarks.engine --model orpheus-3b --engines native vllm vllm-raw --precisions bf16 --streams 1 64 256
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.engine_plot import plot
from benchmarks.machine import describe, file_name
from benchmarks.orpheus_shape import write_orpheus_shape
from benchmarks.token_service import SAMPLING, TokenServiceUnderTest
from swara.errors import SetupError

RESULTS = Path(__file__).parent / "results"
DEMO = Path(__file__).parents[1] / "demo_model" / "weights" / "language_model"
SHAPE = "orpheus-3b"
RAW = "vllm-raw"
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


def raw_rows(flags: Sequence[str], streams: Sequence[int], frames: int, prompt_tokens: int) -> list[dict[str, Any]]:
    """vLLM by itself, in a process of its own; raises SetupError."""
    arguments = [f"--frames={frames}", f"--prompt-tokens={prompt_tokens}", f"--sampling={json.dumps(SAMPLING)}"]
    command = [sys.executable, "-m", "benchmarks.vllm_raw", "--streams", *map(str, streams), *arguments, *flags]
    done = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8")
    if done.returncode:
        raise SetupError(f"vLLM by itself ended with exit code {done.returncode}")
    rows: list[dict[str, Any]] = json.loads(done.stdout.strip().splitlines()[-1])
    return rows


def measure(given: argparse.Namespace) -> list[dict[str, Any]]:
    """All rows; an engine that cannot start here is named on stderr and left out."""
    rows: list[dict[str, Any]] = []
    places = max(given.streams)
    # What the demo model's prompt takes, until a service has told.
    prompt_tokens = 48
    for precision in given.precisions:
        for engine in given.engines:
            with model(given.model) as (flags, text):
                flags += [f"--precision={precision}", f"--max-streams={places}", "--reserve-streams=0"]
                flags += [f"--context-tokens={given.context_tokens}", f"--kv-cache-bytes={given.kv_cache_bytes}"]
                try:
                    if engine == RAW:
                        new = raw_rows(flags, given.streams, given.frames, prompt_tokens)
                    else:
                        prompt_tokens, new = service_rows(engine, flags, text, given)
                except SetupError as error:
                    print(f"{engine} at {precision}: {error}", file=sys.stderr)
                    continue
            rows += [{"engine": engine, "precision": precision, **row} for row in new]
            print(json.dumps(rows[-len(new) :]), flush=True)
    return rows


def service_rows(
    engine: str, flags: Sequence[str], text: str, given: argparse.Namespace
) -> tuple[int, list[dict[str, Any]]]:
    """One engine behind its token service: the length of the prompt, and the rows."""
    service = TokenServiceUnderTest(engine, flags, text)
    try:
        service.wait_until_ready()
        return service.rows(given.streams, given.frames)
    finally:
        service.stop()


def device() -> str:
    """The GPU's name, or the processor's."""
    try:
        import torch
    except ImportError:
        return str(describe()["processor"])
    return torch.cuda.get_device_name() if torch.cuda.is_available() else str(describe()["processor"])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="demo", help=f"demo, {SHAPE} (random weights), or a model folder")
    parser.add_argument("--engines", nargs="+", default=["native"], help=f"engines of the token service, and {RAW}")
    parser.add_argument("--precisions", nargs="+", default=["auto"])
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--frames", type=int, default=60, help="that each stream speaks")
    parser.add_argument("--context-tokens", type=int, default=1024)
    parser.add_argument("--kv-cache-bytes", type=int, default=0)
    given = parser.parse_args()
    rows = measure(given)
    found = {"device": device(), "machine": describe(), "model": given.model, "frames": given.frames, "rows": rows}
    folder = Path(os.environ.get("OUT") or RESULTS)
    name = file_name(str(found["device"]))
    (folder / f"engine-{name}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    plot(found, folder / f"engine-{name}.png")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
