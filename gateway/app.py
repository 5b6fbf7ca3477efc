"""The gateway process: startup, loop, shutdown."""

import asyncio
import logging
import secrets

from gateway import addresses
from gateway.admission import Admission
from gateway.audio_client import AudioClient
from gateway.failover import Failover, Patience
from gateway.grpc_api import SERVICE_NAME, SpeechServicer
from gateway.http_api import application
from gateway.metrics import GatewayMetrics
from gateway.models import Models
from gateway.pipeline import Limits, Pipeline
from gateway.pool import Pool
from gateway.resume import Sealer, keys_of
from gateway.sessions import Sessions
from gateway.settings import GatewaySettings
from gateway.web import WebServer
from swara.server import RpcServer, serve_metrics, until_signalled
from swara.v1.speech_service_pb2_grpc import add_SpeechServiceServicer_to_server

log = logging.getLogger(__name__)

# How long listeners who are cut off may take to hear why.
FAREWELL_SECONDS = 1.0
DRAWN_KEY_BYTES = 32


class Gateway:
    """The parts of one gateway, put together; both servers share one event loop."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._pool = Pool(addresses.parse(settings.audio_address), AudioClient)
        self._admission = Admission(settings.max_streams)
        metrics = GatewayMetrics()
        patience = Patience(settings.queue_seconds, settings.first_seconds, settings.progress_seconds)
        source = Failover(self._pool, patience, metrics.failed_over)
        models = Models(source.model)
        limits = Limits(settings.max_text_characters, settings.max_lead_seconds)
        pipeline = Pipeline(source, models, limits, Sealer(_resume_keys(settings), settings.resume_seconds))
        self._sessions = sessions = Sessions(pipeline, self._admission, metrics, settings.silent_seconds)
        metrics.watch(self._pool)
        self._rpc = RpcServer()
        add_SpeechServiceServicer_to_server(SpeechServicer(sessions, models), self._rpc.grpc)
        self._web = WebServer(
            application(sessions, models, self._admission, settings.max_body_bytes), settings.max_body_bytes
        )

    async def start(self) -> None:
        """Opens the doors; raises SetupError where an address is taken."""
        serve_metrics(self._settings.metrics_host, self._settings.metrics_port)
        await self._web.start(self._settings.http_address, self._settings.silent_seconds)
        await self._rpc.start(self._settings.address, [SERVICE_NAME])
        self._looking = asyncio.create_task(self._pool.run())
        self._looking.add_done_callback(_say_if_broken)
        log.info("gRPC at %s, HTTP at %s", self._settings.address, self._settings.http_address)

    async def stop(self) -> None:
        """Not ready, no new streams, running ones finish within the grace period, then everything is closed."""
        grace_seconds = self._settings.grace_seconds
        log.info("shutting down; running streams have %g s", grace_seconds)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._rpc.stop(grace_seconds + FAREWELL_SECONDS))
            group.create_task(self._drain(grace_seconds))
        await self._web.stop()
        self._looking.cancel()
        await self._pool.close()
        log.info("stopped")

    async def _drain(self, grace_seconds: float) -> None:
        if not await self._admission.drain(grace_seconds):
            log.warning("the grace period is over; the streams that still run are cut off")
            self._sessions.cut_off()


def _say_if_broken(looking: asyncio.Task[None]) -> None:
    """A gateway that sees no more how its replicas are still speaks; somebody should know."""
    if not looking.cancelled() and (error := looking.exception()):
        log.error("the gateway no longer looks at its audio services", exc_info=error)


def _resume_keys(settings: GatewaySettings) -> tuple[bytes, ...]:
    if settings.resume_key:
        return keys_of(settings.resume_key)
    log.info("no resume_key is set: resume tokens are good for this process only and end with it")
    return (secrets.token_bytes(DRAWN_KEY_BYTES),)


async def serve(settings: GatewaySettings) -> None:
    """Runs a gateway until SIGTERM or SIGINT."""
    gateway = Gateway(settings)
    await gateway.start()
    await until_signalled()
    await gateway.stop()
