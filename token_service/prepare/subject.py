"""A model as calibration and gate see it: it speaks with the server's own draws, and says what it would choose.

Any causal model of `transformers` will do, one whose layers are quantized in place too.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from swara.profile import Profile
from token_service.engines.base import GenerationRequest
from token_service.engines.slot_mask import SlotMask
from token_service.sampling import SamplingRows, draw


@dataclass(frozen=True)
class Speech:
    """What was spoken for a prompt: ids of whole frames, and whether the model ended it itself."""

    prompt_ids: tuple[int, ...]
    ids: tuple[int, ...]
    ended: bool


class Subject:
    """One model and its grammar."""

    def __init__(self, model: Any, profile: Profile) -> None:
        self.model = model.eval()
        self._end_id = profile.end_of_speech_id
        self._slots = profile.slots
        self._mask = SlotMask(profile.end_of_speech_id, profile.code_base_id, profile.codebook_size, profile.slots)

    @torch.inference_mode()
    def speak(self, request: GenerationRequest) -> Speech:
        """Speaks until the end or the limit; the same request gives the same ids."""
        ids, cache = list(request.prompt_ids), None
        rows = SamplingRows.of([(request.sampling, request.seed)])
        for position in range(request.max_frames * self._slots):
            given = torch.tensor([ids if cache is None else ids[-1:]], device=self.model.device)
            step = self.model(input_ids=given, past_key_values=cache, use_cache=True)
            cache = step.past_key_values
            logits = self._legal(
                step.logits[:, -1].float().cpu(), ids[-1], position >= request.min_frames * self._slots
            )
            seen = torch.zeros_like(logits, dtype=torch.bool)
            seen[0, torch.tensor(ids)] = True
            ids.append(int(draw(logits, seen, rows, torch.tensor([position]))))
            if ids[-1] == self._end_id:
                return self._spoken(request, ids[:-1], True)
        return self._spoken(request, ids, False)

    @torch.inference_mode()
    def choices(self, speech: Speech) -> Tensor:
        """The likeliest legal id at every place of a speech, [T], given what comes before it there."""
        ids = torch.tensor([[*speech.prompt_ids, *speech.ids]], device=self.model.device)
        logits = self.model(input_ids=ids).logits[0, len(speech.prompt_ids) - 1 : -1].float().cpu()
        return self._mask.applied(logits, ids[0, len(speech.prompt_ids) - 1 : -1].cpu()).argmax(-1)

    def _legal(self, logits: Tensor, last_id: int, may_end: bool) -> Tensor:
        legal = self._mask.applied(logits, torch.tensor([last_id]))
        if not may_end:
            legal[0, self._end_id] = float("-inf")
        return legal

    def _spoken(self, request: GenerationRequest, ids: list[int], ended: bool) -> Speech:
        return Speech(request.prompt_ids, tuple(ids[len(request.prompt_ids) :]), ended)
