"""A server that speaks vLLM's gRPC protocol as a token source: a stock vLLM, or another token service.

A stock one must serve our model class, for the slot mask is made there; `TokenEngine` has it prove that first.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator

import grpc
from smg_grpc_proto.generated import vllm_engine_pb2 as pb
from smg_grpc_proto.generated import vllm_engine_pb2_grpc

from swara import keyed
from swara.channel import calling, connect
from swara.errors import Broken, SetupError, SwaraError
from swara.speech import Sampling
from token_service.checkpoint import check_vocabulary, read_config
from token_service.engines.base import Engine, EngineSetup
from token_service.engines.token_engine import TokenEngine
from token_service.engines.token_source import TokenOrder
from token_service.settings import TokenSettings
from token_service.vllm_order import SERVER_TYPE, metadata_of

log = logging.getLogger(__name__)

REMOTE = "remote engine"
# Settings that are the remote server's own affair; here they would do nothing.
FOREIGN = ("weights", "precision", "kv_cache_precision", "kv_cache_bytes", "speculation")
ANSWER_SECONDS = 10.0
# A server that has not answered for so many probes is gone, and this process ends to be started again.
PROBE_SECONDS = 2.0
LOST_PROBES = 5


def build(setup: EngineSetup) -> Engine:
    """The engine, not started; raises SetupError for settings that do not fit it."""
    settings = setup.settings
    if not settings.remote_address:
        raise SetupError("engine remote needs remote_address, where a server speaks vLLM's gRPC protocol")
    for name in FOREIGN:
        if getattr(settings, name) != TokenSettings.model_fields[name].default:
            raise SetupError(f"setting {name} belongs to the remote server, not to engine remote")
    vocabulary: int = read_config(setup.folder)["vocab_size"]
    check_vocabulary(setup.profile, vocabulary)
    source = RemoteSource(settings.remote_address, setup.profile.end_of_speech_id, vocabulary)
    return TokenEngine("remote", source, setup, vocabulary)


class RemoteSource:
    """Draws tokens on another server."""

    whole_frames = False

    def __init__(self, address: str, end_id: int, vocabulary: int) -> None:
        self._address = address
        self._end_id = end_id
        self._vocabulary = vocabulary
        self._channel: grpc.aio.Channel | None = None

    async def start(self) -> None:
        """Asks the server what it serves; raises SetupError where it does not answer or serves another vocabulary."""
        self._channel = connect(self._address)
        self._stub = vllm_engine_pb2_grpc.VllmEngineStub(self._channel)
        try:
            async with calling(REMOTE, self._address):
                model = await self._stub.GetModelInfo(pb.GetModelInfoRequest(), timeout=ANSWER_SECONDS)
                self.whole_frames = await self._is_token_service()
        except SwaraError as error:
            raise SetupError(error.sentence) from None
        if model.vocab_size != self._vocabulary:
            raise SetupError(
                f"the server at {self._address} serves a vocabulary of {model.vocab_size}, the model folder has "
                f"{self._vocabulary}: another model"
            )

    async def generate(self, order: TokenOrder) -> AsyncGenerator[list[int], None]:
        """New ids as they come; cancelling the call frees the place there."""
        async with calling(REMOTE, self._address):
            call = self._stub.Generate(
                self._request(order), metadata=metadata_of(order.admission_class, order.priority)
            )
            last_id, reason = None, ""
            try:
                async for answer in call:
                    if answer.HasField("chunk") and answer.chunk.token_ids:
                        last_id = answer.chunk.token_ids[-1]
                        yield list(answer.chunk.token_ids)
                    elif answer.HasField("complete"):
                        reason = answer.complete.finish_reason
            finally:
                call.cancel()
        if reason not in ("stop", "length"):
            raise Broken(f"the remote engine ended a stream with {reason!r}")
        if reason == "stop" and last_id != self._end_id:
            yield [self._end_id]

    async def failed(self) -> None:
        """Returns when the server has not answered for some probes in a row."""
        lost = 0
        while lost < LOST_PROBES:
            await asyncio.sleep(PROBE_SECONDS)
            lost = 0 if await self._healthy() else lost + 1
        log.error("the remote engine at %s is gone", self._address)

    async def stop(self) -> None:
        """Lets go of the server, which goes on."""
        if self._channel:
            await self._channel.close()

    async def _is_token_service(self) -> bool:
        try:
            answer = await self._stub.GetServerInfo(pb.GetServerInfoRequest(), timeout=ANSWER_SECONDS)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                return False
            raise
        return bool(answer.server_type == SERVER_TYPE)

    async def _healthy(self) -> bool:
        try:
            answer = await self._stub.HealthCheck(pb.HealthCheckRequest(), timeout=PROBE_SECONDS)
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.healthy)

    def _request(self, order: TokenOrder) -> pb.GenerateRequest:
        return pb.GenerateRequest(
            request_id=order.order_id,
            tokenized=pb.TokenizedInput(input_ids=order.ids),
            stream=True,
            sampling_params=pb.SamplingParams(
                **_sampling(order.sampling),
                # 31 bits are what the protocol's int32 takes.
                seed=keyed.mix_int(order.seed) >> 33,
                max_tokens=order.max_tokens,
                min_tokens=order.min_tokens,
                stop_token_ids=[self._end_id],
                n=1,
            ),
        )


def _sampling(sampling: Sampling) -> dict[str, float]:
    return {name: value for name, value in vars(sampling).items() if value is not None}
