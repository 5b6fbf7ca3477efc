"""The demo model's requests that the engine tests ask with, and how they read an engine."""

import functools
from dataclasses import replace
from pathlib import Path

import numpy as np

from swara.frames import Codes, no_codes
from swara.profile import load_profile
from swara.speech import AdmissionClass, Sampling
from token_service.engines.base import Ended, Engine, EngineSetup, GenerationRequest
from token_service.plan import Planner, SegmentRequest
from token_service.prompt import Prompter, load_tokenizer
from token_service.settings import TokenSettings

DEMO = Path("demo_model/weights/language_model")
PROFILE = load_profile(DEMO)
CONTEXT_TOKENS = 2048
PLACES = 6
TEXTS = ["नमस्ते", "आज मौसम बहुत अच्छा है।", "क्या आप चाय पिएँगे?", "हाँ", "मैं कल दिल्ली जा रहा हूँ।", "धन्यवाद"]
GREEDY = Sampling(temperature=0.0, top_k=0, top_p=1.0, repetition_penalty=1.0)
WILD = Sampling(temperature=2.0, top_k=0, top_p=1.0, repetition_penalty=1.0)


def setup(engine: str, **changes: object) -> EngineSetup:
    """The demo model in fp32 on this engine."""
    sizes = {"max_streams": PLACES - 2, "reserve_streams": 2, "context_tokens": CONTEXT_TOKENS}
    settings = TokenSettings(**{"engine": engine, "precision": "fp32", **sizes, **changes})
    return EngineSetup(DEMO, PROFILE, settings)


@functools.cache
def planner() -> Planner:
    return Planner(PROFILE, Prompter(PROFILE, load_tokenizer(DEMO)), CONTEXT_TOKENS)


def request(index: int = 0, frames: int = 12, sampling: Sampling | None = None, **changes: object) -> GenerationRequest:
    """A request of exactly `frames` frames for one of the texts.

    Its class is never refused, so that what the tests say does not depend on how fast the machine is.
    """
    segment = SegmentRequest(
        f"r{index}", TEXTS[index], "", sampling or Sampling(), 100 + index, max_frames=frames, ignore_end=True
    )
    changes = {"admission_class": AdmissionClass.CONTINUING, **changes}
    return replace(planner().plan(segment).generation, **changes)


async def spoken(engine: Engine, request: GenerationRequest) -> tuple[Codes, Ended]:
    """All frames of one request, [F, 7], and its last event."""
    async with engine.open(request) as arriving:
        events = [event async for event in arriving]
    assert isinstance(events[-1], Ended)
    assert not any(isinstance(event, Ended) for event in events[:-1])
    return np.concatenate([no_codes(), *events[:-1]]), events[-1]


async def codes_of(engine: Engine, request: GenerationRequest) -> Codes:
    """All frames of one request, [F, 7]."""
    codes, _ = await spoken(engine, request)
    return codes
