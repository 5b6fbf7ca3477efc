"""The gateway process: startup, loop, shutdown."""

import asyncio
import logging
import secrets
from functools import partial

from gateway.access.admission import Admission
from gateway.access.guard import guard_of
from gateway.access.key_metrics import MeteredLedger
from gateway.access.usage import ledger_of
from gateway.doors.grpc.grpc_api import SERVICE_NAME, SpeechServicer
from gateway.doors.grpc.well_formed import WellFormed
from gateway.doors.http.http_api import application
from gateway.doors.http.web import WebServer
from gateway.metrics import GatewayMetrics
from gateway.models import Models
from gateway.replicas import addresses
from gateway.replicas.audio_client import AudioClient
from gateway.replicas.failover import Failover, Patience
from gateway.replicas.pool import Pool
from gateway.sessions import House, Sessions
from gateway.settings import GatewaySettings
from gateway.sharing.broadcasts import Broadcasts
from gateway.sharing.relay import GatewayRelay
from gateway.sharing.synthesis_id import SynthesisIds
from gateway.speech.pipeline import Limits, Pipeline, prepare
from gateway.speech.resume import Sealer, keys_of
from swara.server import RpcServer, serve_metrics, until_signalled
from swara.v1.speech_service_pb2_grpc import add_SpeechServiceServicer_to_server

log = logging.getLogger(__name__)

# How long listeners who are cut off may take to hear why.
FAREWELL_SECONDS = 1.0
# How long the doors stay shut for models that are not known yet; with nobody behind, a gateway says so to who asks.
LEARNING_SECONDS = 1.0
DRAWN_KEY_BYTES = 32


class Gateway:
    """The parts of one gateway, put together; both servers share one event loop."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        guard = guard_of(settings)
        connect = partial(AudioClient, inside=settings.inside)
        pools = {name: Pool(known, connect) for name, known in addresses.pools(settings.audio_address).items()}
        self._pools = tuple(pools.values())
        self._admission = Admission(settings.max_streams)
        self._listeners = Admission(settings.max_listeners, "listeners")
        metrics = GatewayMetrics()
        patience = Patience(settings.queue_seconds, settings.first_seconds, settings.progress_seconds)
        sources = {name: Failover(pool, patience, metrics.failed_over) for name, pool in pools.items()}
        self._models = models = Models(sources, partial(prepare, settings.style))
        limits = Limits(settings.max_text_characters, settings.max_lead_seconds, settings.writer_pause_seconds)
        keys = _resume_keys(settings)
        sealer = Sealer(keys, settings.resume_seconds)
        pipeline = Pipeline(models, limits, sealer, settings.style, metrics.repeated)
        self._relay = GatewayRelay(settings.inside)
        broadcasts = Broadcasts(
            SynthesisIds(keys, settings.owner_address),
            self._relay,
            settings.history_bytes,
            settings.linger_seconds,
        )
        house = House(
            pipeline,
            limits,
            broadcasts,
            self._admission,
            self._listeners,
            metrics,
            guard,
            MeteredLedger(ledger_of(settings.usage_file)),
        )
        self._sessions = sessions = Sessions(house, settings.silent_seconds)
        metrics.watch(self._pools, settings.max_streams)
        self._rpc = RpcServer(settings.max_connection_seconds, [WellFormed()])
        add_SpeechServiceServicer_to_server(SpeechServicer(sessions, models), self._rpc.grpc)
        self._web = WebServer(application(sessions, models, self._admission, settings), settings)

    async def start(self) -> None:
        """Opens the doors when the models are known or soon after; raises SetupError where an address is taken."""
        serve_metrics(self._settings.metrics_host, self._settings.metrics_port)
        await self._look()
        await self._web.start()
        if self._settings.peer_address:
            self._rpc.listen(self._settings.peer_address, self._settings.inside)
        await self._rpc.start(self._settings.address, [SERVICE_NAME], self._settings.public_certificate)
        log.info("gRPC at %s, HTTP at %s", self._settings.address, self._settings.http_address)

    async def _look(self) -> None:
        """Begins to look at the services behind; what their voices need to read is loaded as soon as they answer."""
        learning = asyncio.create_task(self._models.learn())
        self._looking = [learning, *(asyncio.create_task(pool.run()) for pool in self._pools)]
        for looking in self._looking:
            looking.add_done_callback(_say_if_broken)
        await asyncio.wait([learning], timeout=LEARNING_SECONDS)

    async def stop(self) -> None:
        """Not ready, no new streams, running ones finish within the grace period, then everything is closed."""
        grace_seconds = self._settings.grace_seconds
        log.info("shutting down; running streams have %g s", grace_seconds)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._rpc.stop(grace_seconds + FAREWELL_SECONDS))
            group.create_task(self._drain(grace_seconds))
        await self._web.stop()
        for looking in self._looking:
            looking.cancel()
        for pool in self._pools:
            await pool.close()
        await self._relay.close()
        log.info("stopped")

    async def _drain(self, grace_seconds: float) -> None:
        drained = await asyncio.gather(self._admission.drain(grace_seconds), self._listeners.drain(grace_seconds))
        if not all(drained):
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
