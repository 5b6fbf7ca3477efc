"""One generation inside the frame loop: its ids so far, what of them is cached, and what it may do next."""

import torch

from swara.frames import SLOTS, Codes
from swara.speech import Priority
from token_service.engines.base import GenerationRequest
from token_service.framer import frame_ids
from token_service.grammar import SlotGrammar
from token_service.lead import Lead


class Stream:
    """A stream in the frame loop.

    `ids` are the prompt, the resumed frames and, where the host draws them, the generated frames; the last id is never
    cached.
    """

    def __init__(self, request: GenerationRequest, grammar: SlotGrammar, cache_slot: int) -> None:
        self.request = request
        self.cache_slot = cache_slot
        self.ids = [*request.prompt_ids, *frame_ids(grammar, request.resume)]
        self.cached_tokens = 0
        self.frames = len(request.resume)
        # Frames that were asked for; a model that works ahead has not given all of them yet.
        self.queued_frames = self.frames
        self.ended_by_model = False
        self.broken = False
        self.seen = self._seen_ids(grammar)
        self._grammar = grammar
        self._lead = Lead()

    @property
    def ready(self) -> bool:
        """Whether everything but the newest id is cached, so that the next token can be drawn."""
        return self.cached_tokens == len(self.ids) - 1

    @property
    def may_speak(self) -> bool:
        """Whether the next frame may be asked for."""
        return self.ready and not self.finished and self.queued_frames < self.request.max_frames

    @property
    def listened_to(self) -> bool:
        """Whether somebody is hearing this now, so that a late frame would be a gap."""
        return self.request.priority is Priority.INTERACTIVE and self._lead.playing

    @property
    def finished(self) -> bool:
        """Whether no further frame will come."""
        return self.ended_by_model or self.broken or self.frames >= self.request.max_frames

    @property
    def may_end(self) -> bool:
        """Whether END_OF_SPEECH is legal at the border before the next frame to be asked for."""
        return not self.request.ignore_end and self.queued_frames >= self.request.min_frames

    @property
    def position(self) -> int:
        """How many of the segment's tokens exist; keys the next draw."""
        return len(self.ids) - len(self.request.prompt_ids)

    def take(self, slot: int, code: int) -> None:
        """Appends a drawn code."""
        self.cached_tokens += 1
        self.ids.append(self._grammar.first_id(slot) + code)
        self.seen[slot, code] = True

    def newest_frame(self) -> Codes:
        """The frame that the last seven ids make, [1, 7]."""
        first_ids = torch.tensor([self._grammar.first_id(slot) for slot in range(SLOTS)])
        codes: Codes = (torch.tensor(self.ids[-SLOTS:]) - first_ids).numpy().astype("uint16")[None]
        return codes

    def complete_frame(self, now_seconds: float) -> None:
        """Notes that a frame has come."""
        self.frames += 1
        self._lead.sent(1, now_seconds)

    def lead_seconds(self, now_seconds: float) -> float:
        """How much speech the listener holds that has not been played; 0 until playback has begun."""
        return self._lead.seconds(now_seconds)

    def paused_seconds(self, now_seconds: float) -> float:
        """For how long this stream should still pause; 0 when it should speak."""
        limit = self.request.max_lead_seconds
        return max(0.0, self.lead_seconds(now_seconds) - limit) if limit else 0.0

    def _seen_ids(self, grammar: SlotGrammar) -> torch.Tensor:
        """Which codes are in prompt or output, [7, codebook + 1] bool; the last column is END_OF_SPEECH."""
        size = grammar.codebook_size
        seen = torch.zeros(SLOTS, size + 1, dtype=torch.bool)
        seen[:, size] = grammar.end_id in self.ids
        places = torch.tensor(self.ids) - grammar.first_id(0)
        places = places[(places >= 0) & (places < SLOTS * size)]
        seen[places // size, places % size] = True
        return seen
