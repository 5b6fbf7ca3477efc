"""What an engine that knows tokens and no frames must do; `TokenEngine` makes an `Engine` of it."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from swara.speech import AdmissionClass, Priority, Sampling


@dataclass(frozen=True)
class TokenOrder:
    """One generation: `ids` are prompt and resumed codes, all checked; END_OF_SPEECH is legal from `min_tokens` on.

    `min_tokens` equal to `max_tokens` forbids it altogether. `order_id` is unique among the running ones.
    """

    order_id: str
    ids: tuple[int, ...]
    max_tokens: int
    min_tokens: int
    sampling: Sampling
    seed: int
    priority: Priority = Priority.INTERACTIVE
    admission_class: AdmissionClass = AdmissionClass.NEW


class TokenSource(Protocol):
    """An engine that draws tokens, slot mask included."""

    @property
    def whole_frames(self) -> bool:
        """Whether its ids, in and out, are whole frames: it is a token service, which has proved its own engine."""

    async def start(self) -> None:
        """Loads the model; raises SetupError with a sentence where it cannot."""

    def generate(self, order: TokenOrder) -> AsyncGenerator[list[int], None]:
        """New ids as they are made, the last of them END_OF_SPEECH where the model said it.

        Closing it frees the place at once. Raises InvalidRequest or Broken for this order, and Unavailable when the
        engine is gone.
        """

    async def failed(self) -> None:
        """Returns when it has broken and will never draw again."""

    async def stop(self) -> None:
        """Ends every generation and frees the model; may be called before `start` has returned."""
