"""vLLM's own async API by itself, for comparison: `python -m benchmarks.vllm_raw`, the last line is JSON.

The same arguments, sampling and event loop as the vllm engine of the token service, and a heap that is as little looked
through, with three differences: vLLM's own Llama class without the slot grammar, vLLM's own scheduler with its
`stream_interval` of a frame, and nothing between it and the reader.
"""

import argparse
import asyncio
import json
import os
import time
from dataclasses import replace
from pathlib import Path

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


async def measure(setup: EngineSetup, prompt_tokens: int, streams: list[int], frames: int, sampling: Sampling) -> None:
    """Prints a row for every number of streams."""
    arguments = replace(engine_arguments(setup), hf_overrides={}, scheduler_cls=None, stream_interval=SLOTS)
    llm = AsyncLLM.from_engine_args(arguments)
    keep_heap()
    # No tokenizer here: any ids below the codes are as good a prompt as others.
    prompt_ids = [10 + k for k in range(prompt_tokens)]
    rows = []
    for count in streams:
        for length in (WARM_FRAMES, frames):
            runs = [
                read(llm, prompt_ids, sampling, length * SLOTS, number, ARRIVAL_SECONDS * number / count)
                for number in range(count)
            ]
            before_seconds = cpu_seconds(os.getpid())
            arrivals = await asyncio.gather(*runs)
            spent_seconds = cpu_seconds(os.getpid()) - before_seconds
        rows.append({"streams": count, **figures(arrivals, spent_seconds)})
    llm.shutdown()
    print(json.dumps(rows))


def main() -> None:
    """Reads the flags that benchmarks/engine.py gives; those of the token service follow them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--streams", type=int, nargs="+", required=True)
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--prompt-tokens", type=int, required=True)
    parser.add_argument("--sampling", type=json.loads, required=True)
    given, flags = parser.parse_known_args()
    settings = TokenSettings.load(flags)
    folder = Path(settings.model)
    setup = EngineSetup(folder, load_profile(folder, settings.profile), settings)
    uvloop.run(measure(setup, given.prompt_tokens, given.streams, given.frames, Sampling(**given.sampling)))


if __name__ == "__main__":
    main()
