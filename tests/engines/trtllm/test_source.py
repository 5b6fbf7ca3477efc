"""How answers of TensorRT-LLM become tokens, ends and errors; each is given by hand, in the stand-in's objects."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Any

import pytest

from swara.errors import Broken, InvalidRequest, SwaraError, TimedOut, Unavailable
from swara.speech import Sampling
from tests.engines.trtllm.conftest import STANDIN
from token_service.engines.token_source import TokenOrder

END = 8
ORDER = TokenOrder("o", (3, 4), 21, 0, Sampling(0.6, 0, 0.9, 1.1), seed=2**64 - 1)


class Scripted:
    """An LLM whose one request is answered by the test."""

    def __init__(self, raises: Exception | None = None) -> None:
        self.raises = raises
        self.params: Any = None
        self._fatal_error = None

    def generate_async(self, inputs: dict[str, list[int]], sampling_params: Any, streaming: bool) -> Any:
        from tensorrt_llm.result import RequestOutput

        if self.raises:
            raise self.raises
        self.params = sampling_params
        self.result = RequestOutput(1, inputs["prompt_token_ids"])
        return self.result


@pytest.fixture(autouse=True)
def _standin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(STANDIN))
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "tensorrt_llm"]:
        del sys.modules[name]
    sys.modules.pop("token_service.engines.trtllm_source", None)


def told(story: Callable[[Any, Scripted], Awaitable[None]], llm: Scripted | None = None) -> None:
    """Tells a story about a source over a scripted LLM."""

    async def tell() -> None:
        from token_service.engines.trtllm_source import TrtllmSource

        scripted = llm or Scripted()
        source = TrtllmSource(END, masks_by_processor=False)
        source.serve(scripted)
        await story(source, scripted)

    asyncio.run(tell())


def answering(*answers: Any) -> Callable[[Any, Scripted], Awaitable[list[int]]]:
    """All tokens of the one order, answered so."""

    async def tokens(source: Any, llm: Scripted) -> list[int]:
        found: list[int] = []

        async def read() -> None:
            async for new_ids in source.generate(ORDER):
                found.extend(new_ids)

        reading = asyncio.create_task(read())
        await asyncio.sleep(0)
        for answer in answers:
            llm.result.failed(answer) if isinstance(answer, Exception) else llm.result.answered(*answer)
        await asyncio.wait_for(reading, 5.0)
        return found

    return tokens


def test_cumulative_answers_become_new_tokens_and_the_end_comes_once() -> None:
    async def story(source: Any, llm: Scripted) -> None:
        assert await answering(([10], None), ([11, 12], None), ([END], "stop"))(source, llm) == [10, 11, 12, END]
        assert not llm.result.aborted()
        assert 0 <= llm.params.seed < 2**63
        assert (llm.params.end_id, llm.params.detokenize) == (END, False)

    told(story)


def test_an_end_that_the_release_keeps_to_itself_is_given_all_the_same() -> None:
    async def story(source: Any, llm: Scripted) -> None:
        assert await answering(([10, 11], None), ([], "stop"))(source, llm) == [10, 11, END]

    told(story)


def test_leaving_early_aborts_the_request() -> None:
    async def story(source: Any, llm: Scripted) -> None:
        async with aclosing(source.generate(ORDER)) as tokens:
            first = asyncio.create_task(anext(tokens))
            await asyncio.sleep(0)
            llm.result.answered([10], None)
            assert await first == [10]
        assert llm.result.aborted()

    told(story)


def test_a_cancelled_reader_aborts_the_request() -> None:
    async def story(source: Any, llm: Scripted) -> None:
        reading = asyncio.create_task(anext(source.generate(ORDER)))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        assert llm.result.aborted()

    told(story)


def test_a_reader_who_takes_nothing_for_too_long_is_told() -> None:
    async def story(source: Any, llm: Scripted) -> None:
        from token_service.engines import trtllm_source

        trtllm_source.STALLED_SECONDS = 0.05
        tokens = source.generate(ORDER)
        first = asyncio.create_task(anext(tokens))
        await asyncio.sleep(0)
        llm.result.answered([10], None)
        await first
        await asyncio.sleep(0.2)
        assert llm.result.aborted()
        with pytest.raises(TimedOut, match="nobody read"):
            await anext(tokens)

    told(story)


def test_an_error_of_one_request_leaves_the_engine_serving() -> None:
    async def story(source: Any, llm: Scripted) -> None:
        from tensorrt_llm.executor.utils import RequestError

        with pytest.raises(Broken, match="could not go on"):
            await answering(([10], None), RequestError("out of blocks"))(source, llm)
        assert await answering(([END], "stop"))(source, llm) == [END]

    told(story)


@pytest.mark.parametrize("answer", [ValueError("a rank died"), RuntimeError("worker is gone")])
def test_any_other_error_means_that_the_engine_has_failed(answer: Exception) -> None:
    async def story(source: Any, llm: Scripted) -> None:
        with pytest.raises(Unavailable):
            await answering(answer)(source, llm)
        await asyncio.wait_for(source.failed(), 5.0)
        with pytest.raises(Unavailable):
            await anext(source.generate(ORDER))

    told(story)


@pytest.mark.parametrize(
    ("raised", "expected"),
    [(ValueError("top_p"), InvalidRequest), (TypeError("no such argument"), Unavailable)],
)
def test_what_is_raised_at_once_tells_a_bad_request_from_a_foreign_release(
    raised: Exception, expected: type[SwaraError]
) -> None:
    async def story(source: Any, llm: Scripted) -> None:
        with pytest.raises(expected):
            await anext(source.generate(ORDER))

    told(story, Scripted(raised))
