"""channel.py: what a service says went wrong arrives at its caller as what it was."""

import asyncio
from pathlib import Path

import grpc
import pytest

from swara.channel import calling, connect
from swara.errors import KINDS, NARROWER, Cancelled, Full, RateLimited, SetupError, SwaraError
from swara.server import RpcServer, answering
from tests.swara.test_address import NO_ADDRESSES

METHOD = "/test.Failing/Fail"
# Nobody is told this one: who went away reads nothing.
TOLD = [kind for kind in (*KINDS, *NARROWER) if kind is not Cancelled]


async def as_told(error: SwaraError, address: str) -> SwaraError:
    """The error as the caller of a service gets it that raised it in answering a call."""

    async def fail(_: bytes, context: grpc.aio.ServicerContext) -> bytes:
        async with answering(context, "r1"):
            raise error
        return b""

    server = RpcServer()
    handler = grpc.unary_unary_rpc_method_handler(fail)
    server.grpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Failing", {"Fail": handler}),))
    await server.start(address, [])
    async with connect(address) as channel:
        try:
            with pytest.raises(SwaraError) as caught:
                async with calling("service", address):
                    await channel.unary_unary(METHOD)(b"")
        finally:
            await server.stop(0)
    return caught.value


@pytest.mark.parametrize("kind", TOLD)
def test_each_kind_arrives_as_itself_with_its_sentence(kind: type[SwaraError], tmp_path: Path) -> None:
    told = asyncio.run(as_told(kind("this is why"), f"unix:{tmp_path}/service.sock"))
    assert type(told) is kind
    assert told.sentence == "this is why (request r1)"


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_an_address_that_nobody_can_be_called_at_is_a_sentence(address: str) -> None:
    with pytest.raises(SetupError, match="not an address of the form host:port or unix:/path"):
        connect(address)


@pytest.mark.parametrize("kind", [Full, RateLimited])
def test_when_to_come_back_arrives_too(kind: type[Full], tmp_path: Path) -> None:
    told = asyncio.run(as_told(kind("later", 7.5), f"unix:{tmp_path}/service.sock"))
    assert isinstance(told, kind)
    assert told.retry_after_seconds == 7.5
