"""A real AudioService on a Unix socket, and a real token service below it where a test needs one."""

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from audio_service.codec import Codec
from audio_service.decoder import Decoder
from audio_service.service import AudioServicer
from audio_service.synthesis import CodecFacts
from audio_service.token_client import TokenClient
from swara.channel import connect
from swara.server import RpcServer
from swara.v1 import token_service_pb2, token_service_pb2_grpc
from swara.v1.audio_service_pb2_grpc import AudioServiceStub, add_AudioServiceServicer_to_server
from tests.audio_service.codecs import delays
from tests.audio_service.places import Place, running

NAME = "swara.v1.AudioService"
LANGUAGE_MODEL = Path(__file__).parents[2] / "demo_model" / "weights" / "language_model"


@dataclass
class Door:
    """A served batcher and a stub to call it with."""

    place: Place
    stub: AudioServiceStub
    channel: grpc.aio.Channel


@asynccontextmanager
async def served(
    codec: Codec, decoder: Decoder, token_address: str = "unix:/nowhere", streams: int = 4
) -> AsyncIterator[Door]:
    """The service, for the length of the block."""
    with tempfile.TemporaryDirectory() as folder:
        address = f"unix:{folder}/audio.sock"
        facts = CodecFacts(codec.fingerprint, codec.codebook_size, codec.sample_rate_hz)
        async with running(decoder, streams) as place:
            tokens, server = TokenClient(token_address, facts), RpcServer()
            add_AudioServiceServicer_to_server(
                AudioServicer(place.batcher, delays(decoder), facts, tokens), server.grpc
            )
            await server.start(address, [NAME])
            try:
                async with connect(address) as channel:
                    yield Door(place, AudioServiceStub(channel), channel)
            finally:
                await server.stop(0)
                await tokens.close()


@dataclass
class TokenProcess:
    """A token service of its own process."""

    address: str
    process: subprocess.Popen[bytes]


@contextmanager
def token_service() -> Iterator[TokenProcess]:
    """The real token service with the demo model, ready to be called."""
    with tempfile.TemporaryDirectory() as folder:
        address = f"unix:{folder}/token.sock"
        flags = ["--model", str(LANGUAGE_MODEL), "--address", address, "--metrics-port", "0"]
        with Path(folder, "log").open("wb") as log:
            process = subprocess.Popen([sys.executable, "-m", "token_service", *flags], stderr=log)
        try:
            asyncio.run(_until_ready(address))
            yield TokenProcess(address, process)
        finally:
            process.kill()
            process.wait()


async def _until_ready(address: str) -> None:
    async with connect(address) as channel:
        stub = token_service_pb2_grpc.TokenServiceStub(channel)
        await stub.GetModel(token_service_pb2.GetModelRequest(), wait_for_ready=True, timeout=180)
