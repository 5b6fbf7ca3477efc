"""vLLM's own gRPC server, started as its manual says, as the engine behind our token service."""

import asyncio
import json
import time
from collections.abc import Iterator

import pytest

from swara.process import ServiceProcess, free_port, grpc_ready, to_stderr
from tests.engines.reference import assert_greedy
from tests.engines.requests import CONTEXT_TOKENS, DEMO, GREEDY, PROFILE, WILD, codes_of, request, setup
from token_service.engines.registry import build_engine
from token_service.engines.vllm_plugin import grammar_overrides

pytest.importorskip("vllm", reason="vllm is not installed")
pytest.importorskip("smg_grpc_servicer", reason="smg-grpc-servicer is not installed")

pytestmark = pytest.mark.timeout(240)
KV_CACHE_BYTES = 100_000_000


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where a stock server serves the demo model with our model class."""
    monkeypatch.setenv("VLLM_NO_USAGE_STATS", "1")
    monkeypatch.setenv("VLLM_CPU_OMP_THREADS_BIND", "nobind")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    port = free_port()
    flags = [
        f"--model={DEMO}",
        "--host=127.0.0.1",
        f"--port={port}",
        "--dtype=float32",
        "--skip-tokenizer-init",
        "--enforce-eager",
        "--max-num-seqs=8",
        f"--max-model-len={CONTEXT_TOKENS}",
        f"--kv-cache-memory-bytes={KV_CACHE_BYTES}",
        f"--hf-overrides={json.dumps(grammar_overrides(PROFILE))}",
    ]
    server = ServiceProcess("vllm.entrypoints.launchers.grpc_server", flags, to_stderr)
    try:
        while not grpc_ready(f"127.0.0.1:{port}"):
            assert server.exit_code is None, server.last_sentence()
            time.sleep(0.2)
        yield f"127.0.0.1:{port}"
    finally:
        server.end(30.0)


def test_a_stock_server_with_our_model_class_is_an_engine_like_any_other(address: str) -> None:
    async def story() -> None:
        engine = build_engine(setup("remote", precision="auto", remote_address=address))
        await engine.start()
        try:
            wild = await asyncio.gather(*[codes_of(engine, request(k, 10, WILD)) for k in range(3)])
            assert all(len(codes) == 10 for codes in wild)
            one = request(1, frames=20, sampling=GREEDY)
            assert_greedy(one, await codes_of(engine, one))
        finally:
            await engine.stop()

    asyncio.run(story())
