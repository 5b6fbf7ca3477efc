"""One LLM of TensorRT-LLM and the generations on it: deltas, ends, errors, and nobody left generating for nobody."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from tensorrt_llm import SamplingParams
from tensorrt_llm.executor.utils import RequestError

from swara import keyed
from swara.errors import Broken, InvalidRequest, SwaraError, TimedOut, Unavailable
from token_service.engines.token_source import TokenOrder
from token_service.sampling import GREEDY_BELOW

log = logging.getLogger(__name__)

HEALTH_SECONDS = 0.5
# Its queue to a reader has no bound but the stream's own; a reader who takes nothing for so long has gone.
STALLED_SECONDS = 30.0
# Joining the threads of an executor that has failed can take for ever.
SHUTDOWN_SECONDS = 10.0


class TrtllmSource:
    """Draws tokens with a loaded LLM; `masks_by_processor` where the model itself has no slot mask."""

    whole_frames = False

    def __init__(self, end_id: int, masks_by_processor: bool) -> None:
        self._end_id = end_id
        self._masks_by_processor = masks_by_processor
        self._llm: Any = None
        self._broken = asyncio.Event()

    def serve(self, llm: Any) -> None:
        """Takes the LLM that is to draw."""
        self._llm = llm

    async def generate(self, order: TokenOrder) -> AsyncGenerator[list[int], None]:
        """New ids; however it is left, the request is aborted unless it has finished."""
        result = self._submitted(order)
        watchdog = Watchdog(result)
        given, last_id = 0, None
        try:
            async with aclosing(self._answers(result)) as answers:
                async for output in answers:
                    # One object, filled further each time, so only what lies past the cursor is new.
                    new_ids = list(output.token_ids[given:])
                    given += len(new_ids)
                    last_id = new_ids[-1] if new_ids else last_id
                    if output.finish_reason == "stop" and last_id != self._end_id:
                        new_ids.append(self._end_id)
                    if new_ids:
                        with watchdog:
                            yield new_ids
        finally:
            if not result.finished:
                result.abort()

    async def failed(self) -> None:
        """Returns when an answer was no answer, or TensorRT-LLM says itself that it is not well."""
        while not self._broken.is_set():
            if self._llm is not None and not await asyncio.to_thread(_healthy, self._llm):
                log.error("TensorRT-LLM has failed: %s", _fatal_reason(self._llm))
                return
            await asyncio.sleep(HEALTH_SECONDS)

    async def stop(self) -> None:
        """Ends every generation and frees the model, or gives up after a while."""
        llm, self._llm = self._llm, None
        if llm is None or self._broken.is_set() or _fatal_reason(llm):
            return
        ending = asyncio.get_running_loop().run_in_executor(None, llm.shutdown)
        done, _ = await asyncio.wait([ending], timeout=SHUTDOWN_SECONDS)
        if not done:
            log.error("TensorRT-LLM has not shut down within %g s", SHUTDOWN_SECONDS)

    def _submitted(self, order: TokenOrder) -> Any:
        if self._llm is None or self._broken.is_set():
            raise Unavailable("the engine is not running")
        try:
            return self._llm.generate_async(
                {"prompt_token_ids": list(order.ids)}, sampling_params=self._sampling(order), streaming=True
            )
        except (ValueError, NotImplementedError, RequestError) as error:
            raise InvalidRequest(f"TensorRT-LLM does not take this: {error}") from None
        except Exception as error:  # another signature, or an LLM that is shutting down: no request will get through
            raise self._fatal(error) from None

    async def _answers(self, result: Any) -> AsyncGenerator[Any, None]:
        """The only output after each step; raises where there is no sound one."""
        try:
            async for step in result:
                if getattr(step, "error", None):
                    raise Broken(f"TensorRT-LLM could not go on: {step.error}")
                output = step.outputs[0]
                if output.finish_reason in ("cancelled", "timeout"):
                    raise Unavailable(f"TensorRT-LLM ended the stream: {output.finish_reason}")
                yield output
        except RequestError as error:
            raise Broken(f"TensorRT-LLM could not go on: {error}") from None
        except (SwaraError, asyncio.CancelledError, GeneratorExit):
            raise
        except Exception as error:  # everything else means that the executor is gone
            raise self._fatal(error) from None
        if not result.finished:
            raise self._fatal(RuntimeError("a stream stopped without an end"))

    def _fatal(self, error: Exception) -> Unavailable:
        log.error("TensorRT-LLM has failed", exc_info=error)
        self._broken.set()
        return Unavailable("the engine has failed and will be started again")

    def _sampling(self, order: TokenOrder) -> SamplingParams:
        sampling = order.sampling
        assert sampling.temperature is not None
        greedy = sampling.temperature < GREEDY_BELOW
        return SamplingParams(
            end_id=self._end_id,
            pad_id=self._end_id,
            max_tokens=order.max_tokens,
            min_tokens=order.min_tokens or None,
            # Greedy is spelled top_k=1: a temperature of 0 is not legal in every release.
            temperature=1.0 if greedy else sampling.temperature,
            top_k=1 if greedy else sampling.top_k,
            top_p=sampling.top_p,
            repetition_penalty=sampling.repetition_penalty,
            seed=keyed.mix_int(order.seed) >> 1,
            detokenize=False,
            add_special_tokens=False,
            apply_batched_logits_processor=self._masks_by_processor,
        )


class Watchdog:
    """Aborts a result whose reader has taken nothing for too long; entered while the reader is at work."""

    def __init__(self, result: Any) -> None:
        self._result = result
        self._timer: asyncio.TimerHandle | None = None
        self._fired = False

    def __enter__(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(STALLED_SECONDS, self._fire)

    def __exit__(self, *ended: object) -> None:
        assert self._timer
        self._timer.cancel()
        if self._fired and ended[0] is None:
            raise TimedOut(f"nobody read this stream for {STALLED_SECONDS:g} s, so it was ended")

    def _fire(self) -> None:
        if not self._result.finished:
            self._fired = True
            self._result.abort()


def _healthy(llm: Any) -> bool:
    """What it says itself, by a method that not every release has."""
    check = getattr(llm, "_check_health", None) or getattr(getattr(llm, "_executor", None), "check_health", None)
    return bool(check()) if check else True


def _fatal_reason(llm: Any) -> str:
    return str(getattr(getattr(llm, "_executor", None), "_fatal_error", None) or "")
