"""One generation of a token engine: what it asks of the source, and what its listener holds."""

import asyncio
import itertools

from swara.frames import SLOTS
from swara.speech import Priority
from token_service.engines.base import Ended, GenerationRequest
from token_service.engines.token_source import TokenOrder
from token_service.framer import frame_ids
from token_service.grammar import SlotGrammar
from token_service.lead import Lead

# Callers may use a request id twice at once, as for two segments of one text; engines may not.
_numbers = itertools.count()


class TokenStream:
    """The state of one stream; times in seconds on the monotonic clock."""

    def __init__(self, request: GenerationRequest, grammar: SlotGrammar, now_seconds: float) -> None:
        self.request = request
        self.order = _order(request, grammar)
        self.lead = Lead()
        self.frames = len(request.resume)
        self.patience = asyncio.timeout(None)
        self._waits_since_seconds: float | None = None
        self._opened_seconds = now_seconds
        self._first_seconds: float | None = None
        self._first_token_seconds: float | None = None

    @property
    def started(self) -> bool:
        """Whether its first frame has come."""
        return self._first_seconds is not None

    @property
    def listened_to(self) -> bool:
        """Whether somebody is hearing this now, so that a late frame would be a gap."""
        return self.request.priority is Priority.INTERACTIVE and self.lead.playing

    @property
    def at_limit(self) -> bool:
        """Whether it has all the frames it may have."""
        return self.frames >= self.request.max_frames

    def waits(self, since_seconds: float | None) -> None:
        """Notes since when it waits for the engine; None where it is the listener who is waited for."""
        self._waits_since_seconds = since_seconds

    def waited_seconds(self, now_seconds: float) -> float:
        """How long a stream that has spoken has been waiting for its next token."""
        return now_seconds - self._waits_since_seconds if self.started and self._waits_since_seconds else 0.0

    def drew(self, now_seconds: float) -> None:
        """Notes that tokens have come."""
        self._first_token_seconds = self._first_token_seconds or now_seconds

    def spoke(self, frames: int, now_seconds: float) -> None:
        """Notes so many new frames."""
        self.frames += frames
        self.lead.sent(frames, now_seconds)
        self._first_seconds = self._first_seconds or now_seconds

    def ended(self, by_model: bool, now_seconds: float) -> Ended:
        """The last event; waiting for a place and reading the prompt look the same from here, and count as prompt."""
        first = self._first_seconds or now_seconds
        return Ended(
            by_model,
            prefill_seconds=first - self._opened_seconds,
            decode_seconds=now_seconds - first,
            first_token_seconds=(self._first_token_seconds or first) - self._opened_seconds,
        )


def _order(request: GenerationRequest, grammar: SlotGrammar) -> TokenOrder:
    resumed = len(request.resume)
    max_tokens = (request.max_frames - resumed) * SLOTS
    return TokenOrder(
        order_id=f"{request.request_id}-{next(_numbers)}",
        ids=(*request.prompt_ids, *frame_ids(grammar, request.resume)),
        max_tokens=max_tokens,
        min_tokens=max_tokens if request.ignore_end else max(0, (request.min_frames - resumed) * SLOTS),
        sampling=request.sampling,
        seed=request.seed,
        priority=request.priority,
        admission_class=request.admission_class,
    )
