"""`python -m audio_service`: load, warm up, serve, shut down."""

import asyncio
import logging
from collections.abc import Callable

import torch
from prometheus_client import REGISTRY

from audio_service.batcher import Batcher, Limits
from audio_service.codec import Codec, load_codec
from audio_service.machine import Machine, machine
from audio_service.metrics import Metrics
from audio_service.service import AudioServicer
from audio_service.settings import AudioSettings
from audio_service.synthesis import CodecFacts
from audio_service.token_client import TokenClient
from swara.heap import keep_heap
from swara.orca import OpenRca
from swara.server import RpcServer, serve_metrics, until_signalled
from swara.startup import starting
from swara.tasks import together
from swara.v1.audio_service_pb2_grpc import add_AudioServiceServicer_to_server

log = logging.getLogger("audio_service")

SERVICE = "swara.v1.AudioService"
# Frames of one step, over all its streams. On a CPU a step must stay short enough for the next first chunk.
STEP_FRAMES = {"cpu": 8, "cuda": 512}


def main() -> None:
    """Runs the service until it is told to stop."""
    with starting("audio", AudioSettings) as settings:
        asyncio.run(serve(settings))


async def serve(settings: AudioSettings) -> None:
    """Startup, loop, shutdown; raises SetupError where the service cannot start."""
    codec = load_codec(settings.codec)
    limits = Limits(settings.max_streams, settings.reserve_streams, STEP_FRAMES[settings.device])
    decoder = machine(settings, codec, limits)
    metrics = Metrics(REGISTRY)
    batcher = Batcher(decoder.rows, decoder.delays, limits, metrics, _threads(settings.threads))
    metrics.describe(codec.fingerprint[:12], settings.device)
    metrics.watch(batcher)
    facts = CodecFacts(codec.fingerprint, codec.codebook_size, codec.sample_rate_hz)
    tokens = TokenClient(settings.token_address, facts, settings.inside)
    servicer = AudioServicer(batcher, decoder.delays, facts, tokens)
    server = RpcServer()
    add_AudioServiceServicer_to_server(servicer, server.grpc)
    OpenRca(batcher.load_report).add_to(server.grpc)
    async with together() as group:
        running = group.create_task(batcher.run())
        await batcher.warm_up()
        keep_heap()
        serve_metrics(settings.metrics_host, settings.metrics_port)
        await server.start(settings.address, [SERVICE], settings.inside)
        _say_ready(settings, codec, decoder)
        await until_signalled()
        servicer.drain()
        await server.stop(settings.grace_seconds)
        await tokens.close()
        running.cancel()
    log.info("stopped")


def _threads(count: int) -> Callable[[], None]:
    """Sets the threads of torch from within the decoder's thread, the only one that computes."""
    return lambda: torch.set_num_threads(count)


def _say_ready(settings: AudioSettings, codec: Codec, decoder: Machine) -> None:
    log.info(
        "serving on %s: codec %s, %d codes, lookahead %d samples, state %d kB a stream, %s",
        settings.address,
        codec.fingerprint[:12],
        codec.codebook_size,
        decoder.delays.reach_samples,
        decoder.state_bytes // 1000,
        settings.device,
    )


if __name__ == "__main__":
    main()
