"""vLLM's own async API by itself, for comparison: the process that `benchmarks/engine.py` calls `vllm-raw`.

The same arguments, prompt, sampling and event loop as the vllm engine of the token service, and a heap that is as
little looked through, with three differences: vLLM's own Llama class without the slot grammar, vLLM's own scheduler
with its `stream_interval` of a frame, and nothing between it and the reader.

Each line of standard input, "streams frames", asks for a row; the descriptor `--rows` gets a line when it is ready,
then the rows as JSON. It ends with its input.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import uvloop
from vllm.inputs import tokens_input
from vllm.sampling_params import RequestOutputKind, SamplingParams
from vllm.v1.engine.async_llm import AsyncLLM

from benchmarks.arrivals import ARRIVAL_SECONDS, Arrivals, figures
from benchmarks.cpu import cpu_seconds
from swara.frames import SLOTS
from swara.heap import keep_heap
from swara.profile import load_profile
from swara.speech import Sampling
from token_service.engines.base import EngineSetup
from token_service.engines.vllm_arguments import engine_arguments
from token_service.prompt import Prompter, load_tokenizer
from token_service.settings import TokenSettings

WARM_FRAMES = 8


async def read(
    llm: AsyncLLM, prompt_ids: list[int], sampling: Sampling, tokens: int, number: int, wait_seconds: float
) -> Arrivals:
    """One stream, asked for after a while and read to its end."""
    await asyncio.sleep(wait_seconds)
    parameters = SamplingParams(
        **vars(sampling),
        seed=number,
        max_tokens=tokens,
        ignore_eos=True,
        detokenize=False,
        output_kind=RequestOutputKind.DELTA,
    )
    arrivals, began = Arrivals(), time.perf_counter()
    async for output in llm.generate(tokens_input(prompt_ids), parameters, f"{number}-{tokens}-{began}"):
        arrivals.arrived(time.perf_counter() - began, len(output.outputs[0].token_ids))
    return arrivals


async def row(llm: AsyncLLM, prompt_ids: list[int], sampling: Sampling, streams: int, frames: int) -> dict[str, float]:
    """The figures of so many streams of so many frames, after a few frames of each that are not measured."""
    for length in (WARM_FRAMES, frames):
        runs = [
            read(llm, prompt_ids, sampling, length * SLOTS, number, ARRIVAL_SECONDS * number / streams)
            for number in range(streams)
        ]
        before_seconds = cpu_seconds(os.getpid())
        arrivals = await asyncio.gather(*runs)
        spent_seconds = cpu_seconds(os.getpid()) - before_seconds
    return figures(arrivals, spent_seconds)


async def answer(setup: EngineSetup, prompt_ids: list[int], sampling: Sampling, rows: TextIO) -> None:
    """Loads the model, then measures whatever it is asked for."""
    arguments = replace(engine_arguments(setup), hf_overrides={}, scheduler_cls=None, stream_interval=SLOTS)
    llm = AsyncLLM.from_engine_args(arguments)
    try:
        keep_heap()
        print("ready", file=rows, flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            streams, frames = map(int, line.split())
            print(json.dumps(await row(llm, prompt_ids, sampling, streams, frames)), file=rows, flush=True)
    finally:
        llm.shutdown()


def main() -> None:
    """Reads the flags that benchmarks/engine_raw.py gives; those of the token service follow them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--text", required=True)
    parser.add_argument("--sampling", type=json.loads, required=True)
    parser.add_argument("--rows", type=int, required=True, help="the file descriptor that rows are written to")
    given, flags = parser.parse_known_args()
    # vLLM's own process gets none of it, so that the pipe ends with this one.
    os.set_inheritable(given.rows, False)
    settings = TokenSettings.load(flags)
    folder = Path(settings.model)
    profile = load_profile(folder, settings.profile)
    prompt_ids = Prompter(profile, load_tokenizer(folder)).prompt_ids(given.text, profile.voice("").name)
    setup = EngineSetup(folder, profile, settings)
    with open(given.rows, "w", encoding="utf-8") as rows:
        uvloop.run(answer(setup, list(prompt_ids), Sampling(**given.sampling), rows))


if __name__ == "__main__":
    main()
