"""The CUDA engine as a whole: tokens a second, first frames, agreement of runs, and where the device's time goes."""

import asyncio
import statistics
import time
from collections import defaultdict
from typing import Any

import numpy as np
import torch

from benchmarks.orpheus import PROFILE, SHAPE, request
from swara.frames import SLOTS, Codes
from swara.speech import AdmissionClass
from token_service.engines.base import Ended, GenerationRequest
from token_service.engines.limits import Limits
from token_service.engines.native.cuda.graph_model import GraphModel
from token_service.engines.native.cuda.load import DummyTensors
from token_service.engines.native.cuda.matrix import Storage
from token_service.engines.native.cuda.open import Options, opened
from token_service.engines.native.cuda.tiles import Tuned
from token_service.engines.native.engine import NativeEngine
from token_service.engines.native.stream import Stream
from token_service.grammar import SlotGrammar

# 400 generated tokens, as the peers were measured with.
FRAMES = 57
CONTEXT_TOKENS = 1024


def model(device: torch.device, places: int, tuned: Tuned, **changes: Any) -> GraphModel:
    """The real shape, ready to speak; tells how long each phase of it took."""
    began = time.perf_counter()
    options = Options(places, CONTEXT_TOKENS, tuned=tuned, dummy=True, **changes)
    made = opened(SHAPE, DummyTensors(SHAPE, device), PROFILE, options, device)
    print(f"model for {places} streams ready in {time.perf_counter() - began:.1f} s", flush=True)
    return made


def frames_of(made: GraphModel, requests: list[GenerationRequest]) -> tuple[list[Codes], dict[str, float]]:
    """Every request's codes [F, 7], all begun at once, the host always a frame behind; and how long it took."""
    grammar = SlotGrammar(PROFILE)
    streams = [Stream(given, grammar, made.take(given.most_tokens) or 0) for given in requests]
    began = time.perf_counter()
    for stream in streams:
        made.join(stream)
    while not all(stream.ready for stream in streams):
        made.read(streams)
    torch.cuda.synchronize()
    read_seconds = time.perf_counter() - began
    spoken: dict[Stream, list[Codes]] = defaultdict(list)
    ends = []
    frames = requests[0].max_frames
    for index in range(frames + 1):
        if index < frames:
            made.queue(streams)
            for stream in streams:
                stream.queued_frames += 1
        if index > 0:
            for stream, codes in made.spoken():
                assert codes is not None, "a stream ended or broke"
                spoken[stream].append(codes)
            ends.append(time.perf_counter())
    for stream in streams:
        made.give_back(stream.cache_slot)
    frame_seconds = statistics.median(np.diff(ends))
    times = {
        "read_ms": 1000 * read_seconds,
        "frame_ms": 1000 * frame_seconds,
        "step_ms": 1000 * frame_seconds / SLOTS,
        "tokens_per_second_per_stream": SLOTS * (frames - 1) / (ends[-1] - ends[0]),
    }
    return [np.concatenate(spoken[stream]) for stream in streams], {k: round(v, 3) for k, v in times.items()}


def speeds(made: GraphModel, precision: str, counts: tuple[int, ...]) -> list[dict[str, Any]]:
    """Tokens a second of so many streams, without a servicer around."""
    lines = []
    for count in (count for count in counts if count <= made.rows):
        frames_of(made, [request(index, 3) for index in range(count)])
        _, times = frames_of(made, [request(index, FRAMES) for index in range(count)])
        lines.append({"engine": "native", "precision": precision, "streams": count} | times)
        print(f"{precision:<22} {count:>4} streams {times['tokens_per_second_per_stream']:7.1f} tok/s each, step "
              f"{times['step_ms']:.3f} ms, prompts read in {times['read_ms']:.1f} ms", flush=True)  # fmt: skip
    return lines


def agreement(made: GraphModel, count: int) -> dict[str, Any]:
    """After how many frames a stream's codes part from what it says alone, said twice, and among others."""
    asked = [request(index, FRAMES) for index in range(count)]
    alone = [frames_of(made, [given])[0][0] for given in asked[:3]]
    again = frames_of(made, [asked[0]])[0][0]
    together = frames_of(made, asked)[0][:3]
    resumed = [
        GenerationRequest(**{**vars(given), "resume": codes[:20]}) for given, codes in zip(asked, alone, strict=False)
    ]
    rest = [_resumed(made, given) for given in resumed]
    found = {
        "twice": _equal_frames(alone[0], again),
        "among_others": [_equal_frames(a, b) for a, b in zip(alone, together, strict=True)],
        "resumed_after_20": [20 + _equal_frames(a[20:], b) for a, b in zip(alone, rest, strict=True)],
        "frames": FRAMES,
    }
    print(f"equal frames of {FRAMES}, {count} streams: {found}", flush=True)
    return found


def _resumed(made: GraphModel, given: GenerationRequest) -> Codes:
    grammar = SlotGrammar(PROFILE)
    stream = Stream(given, grammar, made.take(given.most_tokens) or 0)
    made.join(stream)
    while not stream.ready:
        made.read([stream])
    codes = []
    for _ in range(given.max_frames - len(given.resume)):
        made.queue([stream])
        stream.queued_frames += 1
        codes += [frame for _, frame in made.spoken() if frame is not None]
    made.give_back(stream.cache_slot)
    return np.concatenate(codes)


def _equal_frames(one: Codes, other: Codes) -> int:
    differs = np.flatnonzero((one != other).any(1))
    return int(differs[0]) if len(differs) else len(one)


def served(made: GraphModel, counts: tuple[int, ...]) -> list[dict[str, Any]]:
    """The engine with its loop and its thread, in this process: first frames, 21st tokens, and the device's idle share
    between the frames while all speak.
    """

    async def tell() -> list[dict[str, Any]]:
        limits = Limits(SHAPE.vocabulary, CONTEXT_TOKENS)
        engine = NativeEngine(lambda: made, PROFILE, made.rows, limits, deterministic=False)
        began = time.perf_counter()
        await engine.start()
        print(f"warm-up {time.perf_counter() - began:.1f} s, capacity {engine.load().capacity_streams}", flush=True)
        lines = [await _asked(engine, count) for count in counts if count <= made.rows]
        await engine.stop()
        return lines

    return asyncio.run(tell())


async def _asked(engine: NativeEngine, count: int) -> dict[str, Any]:
    async def one(index: int) -> list[float]:
        # Arriving within 100 ms, as the peers were measured with.
        await asyncio.sleep(0.1 * index / count)
        asked = request(index, FRAMES)
        asked = GenerationRequest(**{**vars(asked), "admission_class": AdmissionClass.CONTINUING})
        began = time.perf_counter()
        async with engine.open(asked) as arriving:
            return [time.perf_counter() - began async for event in arriving if not isinstance(event, Ended)]

    times = np.array(await asyncio.gather(*(one(index) for index in range(count)))) * 1000
    line = {
        "streams": count,
        "first_frame_ms_p50": float(np.median(times[:, 0])),
        "token21_ms_p50": float(np.median(times[:, 2])),
        "token21_ms_p95": float(np.quantile(times[:, 2], 0.95)),
        "tokens_per_second_per_stream": float(np.median(SLOTS * (FRAMES - 3) * 1000 / (times[:, -1] - times[:, 2]))),
    }
    print("served: " + "  ".join(f"{name} {value:.1f}" for name, value in line.items()), flush=True)
    return line


def profiled(made: GraphModel, count: int) -> dict[str, Any]:
    """Where the device's time goes while so many streams speak: by kernel, and how much of it is idle."""
    from torch.profiler import ProfilerActivity, profile

    asked = [request(index, 8) for index in range(count)]
    frames_of(made, asked)
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        frames_of(made, asked)
    use = device_use(list(seen.events() or []))
    if "error" in use:
        return use
    print(f"{count} streams: device busy {100 - use['idle_percent']:.1f} %, longest gap {use['longest_gap_us']:.1f} us")
    for kernel in use["kernels"]:
        print(
            f"  {kernel['percent']:5.1f} %  {kernel['count']:>6} x {kernel['median_us']:8.2f} us  {kernel['name'][:90]}"
        )
    return {"streams": count} | use


def device_use(events: list[Any]) -> dict[str, Any]:
    """From a profile: how long the device was idle from the third frame on, and what else it did."""
    spans = sorted(
        (event.time_range.start, event.time_range.end, event.name)
        for event in events
        if event.device_type == torch.autograd.DeviceType.CUDA
    )
    draws = [end for _, end, name in spans if name.startswith("draw")]
    if len(draws) < 4 * SLOTS:
        return {"error": f"the profiler saw {len(draws)} draws among {len(spans)} kernels"}
    begin, finish = draws[2 * SLOTS], draws[-1]  # after the prompts and the first frames
    by_name: dict[str, list[float]] = defaultdict(list)
    busy, reached, gaps = 0.0, begin, []
    for start, end, name in spans:
        if begin <= start < finish:
            by_name[name].append(end - start)
            gaps.append(max(0.0, start - reached))
            busy += max(0.0, end - max(start, reached))
            reached = max(reached, end)
    total = finish - begin
    kernels = [
        {"name": name[:120], "count": len(times), "median_us": statistics.median(times),
         "percent": 100 * sum(times) / total}
        for name, times in sorted(by_name.items(), key=lambda item: -sum(item[1]))[:14]
    ]  # fmt: skip
    return {"idle_percent": 100 - 100 * busy / total, "longest_gap_us": max(gaps), "kernels": kernels}


PRECISIONS: dict[str, dict[str, Any]] = {
    "fp8": {"storage": Storage.FP8},
    "int8": {"storage": Storage.INT8},
    "bf16, fp8 cache": {"cache_dtype": torch.float8_e4m3fn},
    "fp8, fp8 cache": {"storage": Storage.FP8, "cache_dtype": torch.float8_e4m3fn},
}
