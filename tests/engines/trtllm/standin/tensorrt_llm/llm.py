"""The LLM: requests queue without bound, run together, and are answered at the stream interval."""

import asyncio
import itertools
import threading
import time
from collections import deque
from typing import Any

import torch
from transformers import AutoConfig, DynamicCache

from ._torch.models.modeling_llama import AttentionMetadata, ModelConfig
from ._torch.models.modeling_utils import MODEL_CLASS_MAPPING
from .contract import release
from .executor.utils import RequestError
from .llmapi import TorchLlmArgs
from .result import RequestOutput
from .sampler import Sampler


class Request:
    """One generation as the executor keeps it."""

    def __init__(self, result: RequestOutput, params: Any, sampler: Sampler, loop: asyncio.AbstractEventLoop) -> None:
        self.result = result
        self.params = params
        self.sampler = sampler
        self.loop = loop
        self.cache = DynamicCache()
        self.next_ids = list(result.prompt_token_ids)
        self.all_ids = list(result.prompt_token_ids)
        self.unsent: list[int] = []
        self.drawn = 0


class LLM:
    """Takes the arguments that the contract lists; one thread draws for all requests that fit the batch."""

    def __init__(self, model: str, **arguments: Any) -> None:
        torch.set_num_threads(1)
        self.args = self._checked(model, arguments)
        config = AutoConfig.from_pretrained(model)
        self._model = MODEL_CLASS_MAPPING[config.architectures[0]](ModelConfig(config))
        self._numbers = itertools.count(1)
        self._waiting: deque[Request] = deque()
        self._running: list[Request] = []
        self._fatal_error: Exception | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="executor", daemon=True)
        self._thread.start()

    @property
    def _executor(self) -> "LLM":
        return self

    def _checked(self, model: str, arguments: dict[str, Any]) -> Any:
        return TorchLlmArgs(model=model, **arguments)

    def _check_health(self) -> bool:
        return self._fatal_error is None and self._thread.is_alive()

    def generate_async(self, inputs: dict[str, list[int]], sampling_params: Any = None, **options: Any) -> Any:
        """Returns at once; raises for one request what the contract says."""
        known = release().signatures["LLM.generate_async"]
        if unknown := options.keys() - known.keys():
            raise TypeError(f"generate_async() got an unexpected keyword argument {sorted(unknown)[0]!r}")
        if self._stopping:
            raise RuntimeError("LLM is shutting down")
        prompt = inputs["prompt_token_ids"]
        if len(prompt) > (self.args.max_num_tokens or 8192):
            raise RequestError("the prompt is longer than max_num_tokens")
        loop = asyncio.get_running_loop()
        result = RequestOutput(next(self._numbers), prompt)
        sampler = Sampler(sampling_params, prompt, getattr(self.args, "sampler_type", None))
        self._waiting.append(Request(result, sampling_params, sampler, loop))
        return result

    def shutdown(self) -> None:
        """Ends the executor."""
        self._stopping = True
        self._thread.join()

    @torch.inference_mode()
    def _run(self) -> None:
        try:
            while not self._stopping:
                while self._waiting and len(self._running) < (self.args.max_batch_size or 2048):
                    self._running.append(self._waiting.popleft())
                self._step() if self._running else time.sleep(0.001)
        except Exception as error:
            self._fatal_error = error
            for request in [*self._running, *self._waiting]:
                request.loop.call_soon_threadsafe(request.result.failed, error)

    def _step(self) -> None:
        batch = self._running
        lengths = torch.tensor([len(request.next_ids) for request in batch])
        metadata = AttentionMetadata(lengths, [request.cache for request in batch])
        ids = torch.tensor([token_id for request in batch for token_id in request.next_ids])
        logits = self._masked(self._model.forward(metadata, ids), batch)
        for request, row in zip(batch, logits, strict=True):
            self._draw(request, row)
        self._running = [request for request in batch if request.next_ids]

    def _masked(self, logits: torch.Tensor, batch: list[Request]) -> torch.Tensor:
        return logits

    def _draw(self, request: Request, row: torch.Tensor) -> None:
        if request.result.aborted():
            return self._answer(request, "cancelled")
        token_id = request.sampler.draw(row)
        request.next_ids = [token_id]
        request.all_ids.append(token_id)
        request.unsent.append(token_id)
        request.drawn += 1
        if token_id == request.params.end_id and not request.params.ignore_eos:
            return self._answer(request, "stop")
        if request.drawn == request.params.max_tokens:
            return self._answer(request, "length")
        if request.drawn == 1 or request.drawn % (getattr(self.args, "stream_interval", None) or 1) == 0:
            self._answer(request, None)
        return None

    def _answer(self, request: Request, finish_reason: str | None) -> None:
        new_ids, request.unsent = request.unsent, []
        if finish_reason:
            request.next_ids = []
        request.loop.call_soon_threadsafe(request.result.answered, new_ids, finish_reason)
