"""What every engine does: take a prompt, give frames, stop when nobody listens."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from swara.frames import SLOTS, Codes, no_codes
from swara.profile import Profile
from swara.speech import AdmissionClass, Priority, Sampling

if TYPE_CHECKING:  # an engine by itself needs no package for settings
    from token_service.settings import TokenSettings


@dataclass(frozen=True)
class EngineSetup:
    """What an engine is built from: a model folder, its profile, and the service's settings."""

    folder: Path
    profile: Profile
    settings: "TokenSettings"


@dataclass(frozen=True)
class GenerationRequest:
    """One segment as an engine sees it: everything resolved, nothing left to default.

    `resume` holds frames [F, 7] of this segment that exist already; `max_frames` counts them.
    `max_lead_seconds` bounds how far generation may run ahead of real-time playback; 0 is without bound.
    """

    request_id: str
    prompt_ids: tuple[int, ...]
    sampling: Sampling
    seed: int
    max_frames: int
    min_frames: int = 0
    ignore_end: bool = False
    resume: Codes = field(default_factory=no_codes)
    admission_class: AdmissionClass = AdmissionClass.NEW
    priority: Priority = Priority.INTERACTIVE
    max_lead_seconds: float = 0.0

    @property
    def most_tokens(self) -> int:
        """How many tokens prompt and speech may become."""
        return len(self.prompt_ids) + SLOTS * self.max_frames


@dataclass(frozen=True)
class Ended:
    """The last event of a generation: whether the model said END_OF_SPEECH or went round in a loop, and the time.

    The first token's is 0 where a frame's tokens come all at once.
    """

    by_model: bool
    queue_seconds: float = 0.0
    prefill_seconds: float = 0.0
    decode_seconds: float = 0.0
    looped: bool = False
    first_token_seconds: float = 0.0


@dataclass(frozen=True)
class EngineLoad:
    """How busy an engine is; slack is how far the slowest running stream is ahead of real time."""

    running_streams: int
    queued_streams: int
    paused_streams: int
    capacity_streams: int
    slack_seconds: float


class Engine(Protocol):
    """A running speech language model."""

    name: str
    deterministic: bool
    can_pause: bool
    context_tokens: int

    async def start(self) -> None:
        """Loads and warms up; returns when the first request would be served at full speed."""

    def open(self, request: GenerationRequest) -> AbstractAsyncContextManager[AsyncIterator[Codes | Ended]]:
        """A place for this request; inside it, frames [F, 7] as they are made, then one Ended.

        Raises Full on entering when there is no room for a new stream. Leaving frees the slot at the next frame border.
        """

    def load(self) -> EngineLoad:
        """The load now."""

    async def failed(self) -> None:
        """Returns when the engine has broken and will never speak again; the process should end and be restarted."""

    async def stop(self) -> None:
        """Ends every stream and frees the model."""
