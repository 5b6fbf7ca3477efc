"""What an engine can take. Checked before a request reaches it: one bad id can end an engine for everybody."""

from dataclasses import dataclass

from swara.errors import InvalidRequest
from swara.frames import SLOTS
from token_service.engines.base import GenerationRequest


@dataclass(frozen=True)
class Limits:
    """The ids of a vocabulary are 0 to `vocabulary` - 1; prompt and speech share `context_tokens`."""

    vocabulary: int
    context_tokens: int

    def check(self, request: GenerationRequest) -> None:
        """Raises InvalidRequest with a sentence. Resumed codes are legal by their type."""
        if not request.prompt_ids:
            raise InvalidRequest("the prompt is empty")
        for token_id in request.prompt_ids:
            if not 0 <= token_id < self.vocabulary:
                raise InvalidRequest(f"token id {token_id} is not in the vocabulary of {self.vocabulary}")
        needed = len(request.prompt_ids) + request.max_frames * SLOTS
        if needed > self.context_tokens:
            raise InvalidRequest(
                f"a prompt of {len(request.prompt_ids)} tokens and {request.max_frames} frames need {needed} tokens "
                f"of context, there are {self.context_tokens}"
            )
