"""From what a caller asks to what an engine does: text to prompt, defaults filled in, limits resolved."""

from dataclasses import dataclass, field

from swara.errors import InvalidRequest
from swara.frames import SLOTS, Codes, no_codes
from swara.player import START_HELD_SECONDS
from swara.profile import Profile
from swara.speech import AdmissionClass, Priority, Sampling
from token_service.engines.base import GenerationRequest
from token_service.guard import SHORTEST_FRAMES
from token_service.prompt import Prompter


@dataclass(frozen=True)
class SegmentRequest:
    """One segment of text as the caller asked for it; `max_frames` of 0 takes the runaway guard."""

    request_id: str
    text: str
    voice: str
    sampling: Sampling
    seed: int
    min_frames: int = 0
    max_frames: int = 0
    ignore_end: bool = False
    resume: Codes = field(default_factory=no_codes)
    admission_class: AdmissionClass = AdmissionClass.NEW
    priority: Priority = Priority.INTERACTIVE
    max_lead_seconds: float = 0.0


@dataclass(frozen=True)
class Plan:
    """What the engine is to do, the voice it speaks with, and whether its frame limit is the runaway guard."""

    generation: GenerationRequest
    voice: str
    guarded: bool


class Planner:
    """Makes plans for one model; every bad request ends here with a sentence."""

    def __init__(self, profile: Profile, prompter: Prompter, context_tokens: int) -> None:
        self._profile = profile
        self._prompter = prompter
        self._context_tokens = context_tokens

    def plan(self, request: SegmentRequest) -> Plan:
        """Raises InvalidRequest for anything the model cannot do."""
        self._check(request)
        voice = self._profile.voice(request.voice).name
        prompt_ids = self._prompter.prompt_ids(request.text, voice)
        room_frames = (self._context_tokens - len(prompt_ids)) // SLOTS
        guard_frames = self._profile.runaway_frames.limit_frames(request.text)
        max_frames = request.max_frames or min(guard_frames, room_frames)
        if max_frames > room_frames or room_frames < 1:
            raise InvalidRequest(
                f"{len(prompt_ids)} prompt tokens leave room for {max(0, room_frames)} frames, "
                f"{max_frames} were asked for"
            )
        if request.min_frames > max_frames or len(request.resume) > max_frames:
            raise InvalidRequest(f"min_frames and resume_frames must not exceed the limit of {max_frames} frames")
        return Plan(self._generation(request, prompt_ids, max_frames), voice, not request.max_frames)

    def _check(self, request: SegmentRequest) -> None:
        limit = self._profile.max_text_characters
        if not request.text.strip():
            raise InvalidRequest("the text is empty")
        if len(request.text) > limit:
            raise InvalidRequest(f"the text has {len(request.text)} characters, the model takes {limit} at once")
        if request.ignore_end and not request.max_frames:
            raise InvalidRequest("ignore_end needs max_frames")
        if request.max_lead_seconds and not START_HELD_SECONDS <= request.max_lead_seconds < float("inf"):
            # A player does not begin, or stutters, with less.
            raise InvalidRequest(f"max_lead_seconds must be 0, for no bound, or at least {START_HELD_SECONDS:g}")
        request.sampling.checked()

    def _generation(self, request: SegmentRequest, prompt_ids: tuple[int, ...], max_frames: int) -> GenerationRequest:
        return GenerationRequest(
            request_id=request.request_id,
            prompt_ids=prompt_ids,
            sampling=request.sampling.with_defaults(self._profile.sampling),
            seed=request.seed,
            max_frames=max_frames,
            min_frames=max(request.min_frames, min(SHORTEST_FRAMES, max_frames)),
            ignore_end=request.ignore_end,
            resume=request.resume,
            admission_class=request.admission_class,
            priority=request.priority,
            max_lead_seconds=request.max_lead_seconds,
        )
