"""A server of vLLM's gRPC protocol over the demo model run by plain transformers: what a stock server is to us.

As stock servers do, it streams every id in chunks, the stop token included, and ends with a complete message.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import grpc
from smg_grpc_proto.generated import vllm_engine_pb2 as pb
from smg_grpc_proto.generated import vllm_engine_pb2_grpc

from swara.speech import Sampling
from tests.engines.reference import PlainSource
from token_service.engines.token_source import TokenOrder


class PlainServer(vllm_engine_pb2_grpc.VllmEngineServicer):
    """Serves a plain source; `vocabulary` is what it says of its model."""

    def __init__(self, source: PlainSource, vocabulary: int) -> None:
        self._source = source
        self._vocabulary = vocabulary

    async def GetModelInfo(
        self, request: pb.GetModelInfoRequest, context: grpc.aio.ServicerContext
    ) -> pb.GetModelInfoResponse:
        return pb.GetModelInfoResponse(vocab_size=self._vocabulary)

    async def HealthCheck(
        self, request: pb.HealthCheckRequest, context: grpc.aio.ServicerContext
    ) -> pb.HealthCheckResponse:
        return pb.HealthCheckResponse(healthy=True)

    async def Generate(
        self, request: pb.GenerateRequest, context: grpc.aio.ServicerContext
    ) -> AsyncGenerator[pb.GenerateResponse, None]:
        asked = request.sampling_params
        order = TokenOrder(
            request.request_id,
            tuple(request.tokenized.input_ids),
            asked.max_tokens,
            asked.min_tokens,
            Sampling(),
            asked.seed,
        )
        async with aclosing(self._source.generate(order)) as arriving:
            async for ids in arriving:
                yield pb.GenerateResponse(chunk=pb.GenerateStreamChunk(token_ids=ids))
        yield pb.GenerateResponse(complete=pb.GenerateComplete(finish_reason="length"))


@asynccontextmanager
async def serving(server: PlainServer) -> AsyncIterator[str]:
    """The address of a running server."""
    running = grpc.aio.server()
    vllm_engine_pb2_grpc.add_VllmEngineServicer_to_server(server, running)
    port = running.add_insecure_port("127.0.0.1:0")
    await running.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await running.stop(0)
