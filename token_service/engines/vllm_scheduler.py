"""vLLM's scheduler, which hands tokens over by frames. Runs in vLLM's engine process.

vLLM sends every token of every stream to the process that serves, and that process decodes, files and weighs each by
itself; `stream_interval` spares it only the last of these steps. Here the tokens of a frame wait where they were drawn:
the serving process, whose one event loop is what limits many fast streams, gets one message a frame, and gets it when
the frame is complete instead of a token later.
"""

from typing import Any

from vllm.config import VllmConfig
from vllm.v1.core.sched.async_scheduler import AsyncScheduler
from vllm.v1.core.sched.output import SchedulerOutput
from vllm.v1.core.sched.scheduler import Scheduler
from vllm.v1.engine import EngineCoreOutput, EngineCoreOutputs
from vllm.v1.outputs import ModelRunnerOutput
from vllm.v1.request import Request

from swara.frames import SLOTS


def scheduler_by_frames(vllm_config: VllmConfig, **arguments: Any) -> Scheduler:
    """What vLLM calls for a scheduler: ours of the kind that it would take itself."""
    chosen = AsyncSchedulerByFrames if vllm_config.scheduler_config.async_scheduling else SchedulerByFrames
    return chosen(vllm_config=vllm_config, **arguments)


class SchedulerByFrames(Scheduler):
    """The plain one, which speculation takes."""

    def update_from_output(
        self, scheduler_output: SchedulerOutput, model_runner_output: ModelRunnerOutput
    ) -> dict[int, EngineCoreOutputs]:
        """What is to be sent to each client, without the tokens whose frame is not complete."""
        requests = dict(self.requests)  # those that end in this step are gone afterwards
        sent = super().update_from_output(scheduler_output, model_runner_output)
        for outputs in sent.values():
            outputs.outputs = [output for output in outputs.outputs if is_due(output, requests[output.request_id])]
        return {client: outputs for client, outputs in sent.items() if says_something(outputs)}


class AsyncSchedulerByFrames(SchedulerByFrames, AsyncScheduler):
    """The one that schedules a step while the last one runs."""


def is_due(output: EngineCoreOutput, request: Request) -> bool:
    """Whether something is to be sent now; the output then gets all ids that have waited for it."""
    drawn = request.num_output_tokens
    already = handed_over(drawn - len(output.new_token_ids))
    due = drawn if output.finish_reason is not None else handed_over(drawn)
    if due == already:
        return output.finish_reason is not None
    output.new_token_ids = request.output_token_ids[already:due]
    return True


def handed_over(drawn: int) -> int:
    """How many of so many tokens are sent while a stream runs: whole frames, and the first token, whose time counts."""
    return max(drawn - drawn % SLOTS, min(drawn, 1))


def says_something(outputs: EngineCoreOutputs) -> bool:
    """Whether anything is left to send: ids, or what vLLM tells its clients beside them."""
    return bool(outputs.outputs or outputs.finished_requests or outputs.scheduler_stats is not None)
