"""What `generate_async` returns: one object, filled further with every answer."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from .executor.utils import RequestError


@dataclass
class CompletionOutput:
    """Cumulative ids; `token_ids_diff` is what the last answer brought."""

    index: int = 0
    text: str = ""
    token_ids: list[int] = field(default_factory=list)
    finish_reason: str | None = None
    stop_reason: int | None = None
    last_length: int = 0

    @property
    def token_ids_diff(self) -> list[int]:
        """The ids of the last answer."""
        return self.token_ids[self.last_length :]


class RequestOutput:
    """Iterated, it gives itself after each answer; leaving the loop does not end the generation."""

    def __init__(self, request_id: int, prompt_token_ids: list[int]) -> None:
        self.request_id = request_id
        self.prompt_token_ids = prompt_token_ids
        self.outputs = [CompletionOutput()]
        self.error: str | None = None
        self.finished = False
        self._aborted = False
        self._queue: asyncio.Queue[Any] = asyncio.Queue()

    def abort(self) -> None:
        """Asks the executor to stop; the last answer then says `cancelled`."""
        self._aborted = True

    def aborted(self) -> bool:
        """Whether that has been asked."""
        return self._aborted

    def answered(self, new_ids: list[int], finish_reason: str | None) -> None:
        """An answer of the executor."""
        self._queue.put_nowait((new_ids, finish_reason))

    def failed(self, error: Exception) -> None:
        """The executor's last word on this request."""
        self._queue.put_nowait(error)

    def __aiter__(self) -> "RequestOutput":
        return self

    async def __anext__(self) -> "RequestOutput":
        if self.finished:
            raise StopAsyncIteration
        answer = await self._queue.get()
        if isinstance(answer, Exception):
            self.finished = isinstance(answer, RequestError)
            raise answer
        output = self.outputs[0]
        output.last_length = len(output.token_ids)
        output.token_ids.extend(answer[0])
        output.finish_reason = answer[1]
        self.finished = answer[1] is not None
        return self
