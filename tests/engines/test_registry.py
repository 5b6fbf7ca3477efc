"""A setting that the chosen engine does not know stops the service with a sentence."""

import pytest

from swara.errors import SetupError
from tests.engines.requests import setup
from token_service.engines.registry import build_engine


@pytest.mark.parametrize(
    ("engine", "change", "sentence"),
    [
        ("vllm", {"device": "cuda"}, "device is engine native's and means nothing to engine vllm"),
        ("tensorrt-llm", {"arithmetic": "deterministic"}, "arithmetic is engine native's"),
        ("vllm", {"kernels": "torch"}, "kernels is engine native's"),
        ("native", {"remote_address": "127.0.0.1:1"}, "remote_address is engine remote's"),
        ("native", {"device": "cpu", "kv_cache_bytes": 10**9}, "leave kv_cache_bytes at 0"),
        ("native", {"speculation": "ngram"}, "does not speculate"),
    ],
)
def test_a_setting_that_would_do_nothing_is_refused(engine: str, change: dict[str, object], sentence: str) -> None:
    with pytest.raises(SetupError, match=sentence):
        build_engine(setup(engine, **change))
