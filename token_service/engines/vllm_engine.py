"""vLLM as a token source: its AsyncLLM in a process of its own, prompt ids in, tokens out as they are drawn."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from importlib.metadata import entry_points

from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.exceptions import VLLMValidationError
from vllm.inputs import tokens_input
from vllm.sampling_params import RequestOutputKind, SamplingParams
from vllm.v1.engine.async_llm import AsyncLLM
from vllm.v1.engine.exceptions import EngineDeadError, EngineGenerateError

from swara import keyed
from swara.errors import Broken, InvalidRequest, SetupError, Unavailable
from swara.speech import Priority
from token_service.engines.base import Engine, EngineSetup
from token_service.engines.token_engine import TokenEngine
from token_service.engines.token_source import TokenOrder
from token_service.engines.vllm_arguments import engine_arguments, vocabulary_of
from token_service.engines.vllm_plugin import ENTRY_POINT_GROUP
from token_service.sampling import GREEDY_BELOW

log = logging.getLogger(__name__)

HEALTH_SECONDS = 0.25


def build(setup: EngineSetup) -> Engine:
    """The engine, not started; raises SetupError where vLLM cannot serve this model here."""
    vocabulary = vocabulary_of(setup)
    if not any(point.module == "token_service.engines.vllm_plugin" for point in entry_points(group=ENTRY_POINT_GROUP)):
        raise SetupError(
            "vLLM cannot find Swara's model class: install Swara as a package (pip install . in its folder)"
        )
    return TokenEngine("vllm", VllmSource(setup, engine_arguments(setup)), setup, vocabulary)


class VllmSource:
    """Draws tokens with vLLM."""

    whole_frames = False

    def __init__(self, setup: EngineSetup, arguments: AsyncEngineArgs) -> None:
        self._folder = setup.folder
        self._arguments = arguments
        self._end_id = setup.profile.end_of_speech_id
        self._llm: AsyncLLM | None = None

    async def start(self) -> None:
        """Loads the model in vLLM's process, compiles and captures; raises SetupError."""
        try:
            self._llm = AsyncLLM.from_engine_args(self._arguments)
        except Exception as error:  # its process dies with whatever went wrong there, and logs it
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise SetupError(f"vLLM could not load {self._folder}, the log above tells why: {reason}") from None

    async def generate(self, order: TokenOrder) -> AsyncGenerator[list[int], None]:
        """New ids, a frame's worth at once; vLLM itself aborts what is closed or cancelled."""
        if self._llm is None:
            raise Unavailable("the engine is not running")
        try:
            prompt = tokens_input(list(order.ids))
            async with aclosing(
                self._llm.generate(prompt, self._sampling(order), order.order_id, priority=_priority(order))
            ) as outputs:
                async for output in outputs:
                    yield list(output.outputs[0].token_ids)
        except EngineDeadError:
            raise Unavailable("the engine has died and will be started again") from None
        except EngineGenerateError as error:
            log.exception("vLLM failed at one request")
            raise Broken(f"vLLM could not go on: {error.__cause__}") from None
        except (ValueError, VLLMValidationError) as error:
            raise InvalidRequest(f"vLLM does not take this: {error}") from None

    async def failed(self) -> None:
        """Returns when vLLM's process is gone."""
        while self._llm is None or not self._llm.errored:  # noqa: ASYNC110 - vLLM has nothing to wait for
            await asyncio.sleep(HEALTH_SECONDS)
        log.error("vLLM's engine process has died")

    async def stop(self) -> None:
        """Ends vLLM's process; streams still running are told."""
        if self._llm:
            self._llm.shutdown()
            self._llm = None

    def _sampling(self, order: TokenOrder) -> SamplingParams:
        sampling = order.sampling
        assert sampling.temperature is not None
        return SamplingParams(
            # vLLM calls greedy what is 0 and raises anything else below 0.01.
            temperature=0.0 if sampling.temperature < GREEDY_BELOW else sampling.temperature,
            top_k=sampling.top_k,
            top_p=sampling.top_p,
            repetition_penalty=sampling.repetition_penalty,
            # vLLM takes int64 and reads -1 as "no seed"; half of the hash of ours is never negative.
            seed=keyed.mix_int(order.seed) >> 1,
            max_tokens=order.max_tokens,
            min_tokens=order.min_tokens,
            stop_token_ids=[self._end_id],
            detokenize=False,
            output_kind=RequestOutputKind.DELTA,
            skip_clone=True,
        )


def _priority(order: TokenOrder) -> int:
    return 0 if order.priority is Priority.INTERACTIVE else 1
