"""ONNX Runtime beside torch on the CPU: `python -m benchmarks.decode_onnx`. Needs onnx, onnxscript and onnxruntime.

In turns in one run, on the real 24 kHz shape: a window of 3+1+3 frames through the `snac` package's decoder, which
gives one frame, and our own step, each by torch and by ONNX Runtime. An exported step gets its noise and masks
ready-made, because ONNX has no wrapping 64-bit hash; torch is measured with and without that part. Prints a table and,
as its last line, one JSON object.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from audio_service.decoder import Block, Decoder
from audio_service.stream import NO_END
from benchmarks.machine import describe
from benchmarks.whole import levels, random_codec
from swara.frames import FRAME_SECONDS, SLOTS

WINDOW_FRAMES = 7
HOPS = (1, 4)
AGREEMENT = 1e-5


@dataclass(frozen=True)
class Way:
    """A way to `frames` frames of audio; `prepared` makes the run for a number of threads."""

    name: str
    frames: int
    prepared: Callable[[int], Callable[[], object]]


class GivenStep(Decoder):
    """The decoder with noise and masks given, so that a step is nothing but its layers."""

    planes: tuple[list[Tensor], list[Tensor]]

    def _masks(self, block: Block) -> list[Tensor]:
        return self.planes[0]

    def _noises(self, block: Block) -> list[Tensor]:
        return self.planes[1]

    def computed(self, block: Block) -> list[Tensor]:
        """What a step computes for itself otherwise: masks, then noises, [1, T, 1] each."""
        return [*super()._masks(block), *super()._noises(block)]


class Step(nn.Module):
    """A step as a function of its tensors."""

    def __init__(self, decoder: GivenStep) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, state: Tensor, codes: Tensor, planes: list[Tensor]) -> tuple[Tensor, Tensor]:
        """State [1, S], codes [1, F, 7], masks and noises: audio [1, F * 2048] and the state after it."""
        state, noises = state.clone(), self.decoder.noise_layers
        self.decoder.planes = (planes[:-noises], planes[-noises:])
        # Without the decorator: an exporter cannot see through inference mode.
        audio = Decoder.step.__wrapped__(self.decoder, state, block_of(codes, noises))  # type: ignore[attr-defined]
        return audio, state


class Window(nn.Module):
    """The package's decoder over a window, with the package's own noise."""

    def __init__(self, codec: nn.Module) -> None:
        super().__init__()
        self.codec = codec

    def forward(self, codes: Tensor) -> Tensor:
        """Codes [1, F, 7] to audio [1, 1, F * 2048]."""
        audio: Tensor = self.codec.decode(levels(codes))  # type: ignore[operator]
        return audio


def main() -> None:
    """Exports, checks that both ways agree, measures them in turns."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decode_onnx", description=(__doc__ or "").split(":")[0])
    parser.add_argument("--rounds", type=int, default=60, help="how often each way runs")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="thread counts")
    given = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        ways = all_ways(Path(folder))
        print(f"\n{'threads':>7}  {'way':<44}{'median ms':>10}{'x real time':>13}")
        for threads in given.threads:
            torch.set_num_threads(threads)
            for way, seconds in zip(ways, in_turns(ways, threads, given.rounds), strict=True):
                speed = way.frames * FRAME_SECONDS / seconds
                print(f"{threads:>7}  {way.name:<44}{1000 * seconds:>10.2f}{speed:>13.2f}")
                results.append({"way": way.name, "threads": threads, "frames": way.frames, "seconds_median": seconds})
    versions = {"torch": torch.__version__, "onnxruntime": onnxruntime.__version__}
    print(json.dumps({"benchmark": "decode_onnx", "machine": describe(), **versions, "results": results}))


def all_ways(folder: Path) -> list[Way]:
    """The windows and the steps, each by torch and by ONNX Runtime."""
    codec = random_codec()
    decoder = GivenStep(codec, torch.device("cpu"))
    plain = Decoder(codec, torch.device("cpu"))
    for module in codec.modules.modules():
        if parametrize.is_parametrized(module):
            parametrize.remove_parametrizations(module, "weight")
    codes = torch.from_numpy(np.random.default_rng(0).integers(0, codec.codebook_size, (1, WINDOW_FRAMES, SLOTS)))
    ways = pair("window 3+1+3", 1, Window(codec.modules).eval(), [codes], folder / "window.onnx")
    for hop in HOPS:
        state, block = decoder.new_states(1), block_of(codes[:, :hop], decoder.noise_layers)
        ways.append(Way(f"step, hop {hop}, torch", hop, lambda _, s=state, b=block: lambda: plain.step(s, b)))  # type: ignore[misc]
        given = [state.clone(), block.codes, decoder.computed(block)]
        ways += pair(f"step, hop {hop}, noise given", hop, Step(decoder).eval(), given, folder / f"{hop}.onnx")
    return ways


def pair(name: str, frames: int, module: nn.Module, inputs: list[object], path: Path) -> list[Way]:
    """One module by torch, and exported; a step's results must agree (a window draws fresh noise)."""
    torch.onnx.export(module, tuple(inputs), path, dynamo=True, external_data=False, verbose=False)
    runtime = by_runtime(path, inputs)
    if isinstance(module, Step):
        error = float(np.abs(runtime(1)()[0] - module(*inputs)[0].numpy()).max())  # type: ignore[index]
        print(f"{name}: ONNX Runtime differs from torch by {error:.1e} at most")
        if error > AGREEMENT:
            raise SystemExit("the export is wrong")
    return [
        Way(f"{name}, torch", frames, lambda _: lambda: module(*inputs)),
        Way(f"{name}, ONNX Runtime", frames, runtime),
    ]


def by_runtime(path: Path, inputs: Sequence[object]) -> Callable[[int], Callable[[], object]]:
    """What prepares an exported module for a number of threads."""
    flat = [np.asarray(tensor) for value in inputs for tensor in (value if isinstance(value, list) else [value])]

    def prepared(threads: int) -> Callable[[], object]:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        feed = {node.name: value for node, value in zip(session.get_inputs(), flat, strict=True)}
        return lambda: session.run(None, feed)

    return prepared


def in_turns(ways: Sequence[Way], threads: int, rounds: int) -> list[float]:
    """Median seconds of each way; one run of each a round, so that a busy moment hits all of them."""
    runs = [way.prepared(threads) for way in ways]
    seconds: list[list[float]] = [[] for _ in runs]
    for _ in range(5 + rounds):
        for run, times in zip(runs, seconds, strict=True):
            began = time.perf_counter()
            run()
            times.append(time.perf_counter() - began)
    return [statistics.median(times[5:]) for times in seconds]


def block_of(codes: Tensor, noise_layers: int) -> Block:
    """A block of codes [1, F, 7] in the middle of an utterance."""
    first = torch.full((1,), 100)
    return Block(codes, first, torch.full((1,), NO_END), torch.arange(noise_layers)[None], torch.ones(1))


if __name__ == "__main__":
    main()
