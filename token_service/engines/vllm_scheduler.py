"""vLLM's scheduler, which hands tokens over by frames. Runs in vLLM's engine process.

vLLM sends every token of every stream to the process that serves, and that process decodes, files and weighs each by
itself; `stream_interval` spares it only the last of these steps. Here the tokens of a frame wait where they were drawn:
the serving process, whose one event loop is what limits many fast streams, gets one message a frame, and gets it when
the frame is complete instead of a token later. vLLM's own process makes no message of what waits either, and so has
less to do in a step than with its own scheduler.
"""

from typing import Any

from vllm.config import VllmConfig
from vllm.v1.core.sched.async_scheduler import AsyncScheduler
from vllm.v1.core.sched.scheduler import Scheduler
from vllm.v1.request import Request

from swara.frames import SLOTS


def scheduler_by_frames(vllm_config: VllmConfig, **arguments: Any) -> Scheduler:
    """What vLLM calls for a scheduler: ours of the kind that it would take itself."""
    chosen = AsyncSchedulerByFrames if vllm_config.scheduler_config.async_scheduling else SchedulerByFrames
    return chosen(vllm_config=vllm_config, **arguments)


class SchedulerByFrames(Scheduler):
    """The plain one, which speculation takes."""

    def _update_request_with_output(
        self, request: Request, new_token_ids: list[int], *arguments: Any, **keywords: Any
    ) -> tuple[list[int], bool]:
        """What is to be sent of a stream that has drawn these ids, and whether it ends; vLLM sends nothing for nothing.

        Releases differ in the arguments that follow.
        """
        drawn, ends = super()._update_request_with_output(request, new_token_ids, *arguments, **keywords)
        return due_ids(request, len(drawn), ends), ends


class AsyncSchedulerByFrames(SchedulerByFrames, AsyncScheduler):
    """The one that schedules a step while the last one runs."""


def due_ids(request: Request, new_tokens: int, ends: bool) -> list[int]:
    """The ids to be sent now that so many more have been drawn: with them all that have waited; often none."""
    drawn = request.num_output_tokens
    # Six of seven times, for every stream in every step: neither the first token nor the last of a frame.
    if not ends and new_tokens <= drawn % SLOTS and new_tokens < drawn:
        return []
    already = handed_over(drawn - new_tokens)
    ids: list[int] = request.output_token_ids[already : drawn if ends else handed_over(drawn)]
    return ids


def handed_over(drawn: int) -> int:
    """How many of so many tokens are sent while a stream runs: whole frames, and the first token, whose time counts."""
    return drawn - drawn % SLOTS or min(drawn, 1)
