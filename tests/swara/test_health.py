"""`python -m swara.health`, and servers that listen in two places and send callers away after a while."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from swara.errors import SetupError
from swara.process import free_port
from swara.server import RpcServer
from tests.swara.test_address import NO_ADDRESSES


@asynccontextmanager
async def serving(address: str, max_connection_seconds: float = 0.0) -> AsyncIterator[RpcServer]:
    server = RpcServer(max_connection_seconds)
    await server.start(address, [])
    yield server
    await server.stop(0)


async def asked(*arguments: str) -> tuple[int, str]:
    """Exit code of the command and what it said."""
    command = [sys.executable, "-m", "swara.health", *arguments]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True)
    return done.returncode, done.stderr


def test_a_server_that_serves_is_healthy_at_each_of_its_addresses(tmp_path: Path) -> None:
    async def ask() -> tuple[int, str]:
        tcp, unix = f"127.0.0.1:{free_port()}", f"unix:{tmp_path}/service.sock"
        async with serving(f"{unix}, {tcp}"):
            return await asked(tcp, unix)

    assert asyncio.run(ask()) == (0, "")


def test_one_that_is_not_there_is_named_with_exit_code_1(tmp_path: Path) -> None:
    code, said = asyncio.run(asked(f"unix:{tmp_path}/nobody.sock"))
    assert (code, said) == (1, f"not serving: unix:{tmp_path}/nobody.sock\n")


def test_it_waits_for_one_that_is_still_starting() -> None:
    async def ask() -> int:
        address = f"127.0.0.1:{free_port()}"
        waiting = asyncio.create_task(asked("--wait=60", address))
        await asyncio.sleep(1)
        async with serving(address):
            return (await waiting)[0]

    assert asyncio.run(ask()) == 0


def test_an_address_that_is_taken_is_named_even_if_the_other_is_free() -> None:
    async def start() -> None:
        taken = f"127.0.0.1:{free_port()}"
        async with serving(taken):
            await RpcServer().start(f"127.0.0.1:{free_port()},{taken}", [])

    with pytest.raises(SetupError, match="cannot listen on"):
        asyncio.run(start())


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_an_address_that_is_none_is_a_sentence_and_not_some_other_port(address: str) -> None:
    async def start() -> None:
        await RpcServer().start(f"127.0.0.1:{free_port()},{address}", [])

    with pytest.raises(SetupError, match="not an address of the form host:port or unix:/path"):
        asyncio.run(start())


def test_callers_connect_anew_after_a_while_and_their_running_calls_go_on() -> None:
    async def ask() -> tuple[bool, int]:
        address = f"127.0.0.1:{free_port()}"
        async with serving(address, max_connection_seconds=0.5), grpc.aio.insecure_channel(address) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            watching = stub.Watch(health_pb2.HealthCheckRequest())
            await anext(aiter(watching))
            await asyncio.wait_for(channel.wait_for_state_change(grpc.ChannelConnectivity.READY), 60)
            still_running = not watching.done()
            answer = await stub.Check(health_pb2.HealthCheckRequest())
            watching.cancel()
            return still_running, answer.status

    assert asyncio.run(ask()) == (True, health_pb2.HealthCheckResponse.SERVING)
