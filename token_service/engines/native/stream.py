"""One generation inside the frame loop: its ids so far, what of them is cached, and what it may do next."""

import torch

from swara.frames import FRAME_SECONDS, SLOTS, Codes
from swara.speech import Priority
from token_service.engines.base import GenerationRequest
from token_service.framer import frame_ids
from token_service.grammar import SlotGrammar

# A codec gives a frame's samples out when it has seen so many frames after it, rounded up.
LOOKAHEAD_FRAMES = 3
# With so many frames a listener holds the 200 ms at which the player of swara/player.py begins.
START_FRAMES = LOOKAHEAD_FRAMES + 2


class Stream:
    """A stream in the frame loop.

    `ids` are the prompt, the resumed frames and the generated frames; the last id is never cached.
    """

    def __init__(self, request: GenerationRequest, grammar: SlotGrammar, cache_slot: int) -> None:
        self.request = request
        self.cache_slot = cache_slot
        self.ids = [*request.prompt_ids, *frame_ids(grammar, request.resume)]
        self.cached_tokens = 0
        self.frames = len(request.resume)
        self.ended_by_model = False
        self.broken = False
        self.seen = self._seen_ids(grammar)
        self._grammar = grammar
        self._play_seconds: float | None = None
        self._generated_frames = 0

    @property
    def ready(self) -> bool:
        """Whether everything but the newest id is cached, so that the next token can be drawn."""
        return self.cached_tokens == len(self.ids) - 1

    @property
    def listened_to(self) -> bool:
        """Whether somebody is hearing this now, so that a late frame would be a gap."""
        return self.request.priority is Priority.INTERACTIVE and self._play_seconds is not None

    @property
    def finished(self) -> bool:
        """Whether no further frame will come."""
        return self.ended_by_model or self.broken or self.frames >= self.request.max_frames

    @property
    def may_end(self) -> bool:
        """Whether END_OF_SPEECH is legal at this frame border."""
        return not self.request.ignore_end and self.frames >= self.request.min_frames

    @property
    def position(self) -> int:
        """How many of the segment's tokens exist; keys the next draw."""
        return len(self.ids) - len(self.request.prompt_ids)

    def take(self, slot: int, code: int) -> None:
        """Appends a drawn code."""
        self.cached_tokens += 1
        self.ids.append(self._grammar.first_id(slot) + code)
        self.seen[slot, code] = True

    def complete_frame(self, now_seconds: float) -> Codes:
        """The frame that the last seven codes make, [1, 7]."""
        self.frames += 1
        self._generated_frames += 1
        if self._generated_frames == START_FRAMES:
            self._play_seconds = now_seconds
        first_ids = torch.tensor([self._grammar.first_id(slot) for slot in range(SLOTS)])
        codes: Codes = (torch.tensor(self.ids[-SLOTS:]) - first_ids).numpy().astype("uint16")[None]
        return codes

    def lead_seconds(self, now_seconds: float) -> float:
        """How much speech the listener holds that has not been played; 0 until playback has begun."""
        if self._play_seconds is None:
            return 0.0
        held_frames = self._generated_frames - LOOKAHEAD_FRAMES
        return held_frames * FRAME_SECONDS - (now_seconds - self._play_seconds)

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
