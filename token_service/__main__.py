"""`python -m token_service`: load, serve, drain."""

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Coroutine
from importlib.util import find_spec

from swara.heap import keep_heap
from swara.profile import load_profile
from swara.server import RpcServer, serve_metrics, until_signalled
from swara.startup import starting
from token_service import metrics
from token_service.doors import add_doors
from token_service.engines.base import Engine, EngineSetup
from token_service.engines.registry import build_engine
from token_service.model import fingerprint, model_folder
from token_service.plan import Planner
from token_service.prompt import Prompter, load_tokenizer
from token_service.service import TokenService
from token_service.settings import TokenSettings

log = logging.getLogger("token_service")


# An engine's thread gets its turn after so long at most; Python's own 5 ms are a fifth of a GPU's frame.
SWITCH_SECONDS = 0.001


class EngineFailed(Exception):
    """The engine broke while serving."""


async def serve(settings: TokenSettings) -> None:
    """Startup, loop, shutdown; raises SetupError where the service cannot start."""
    folder = model_folder(settings.model)
    profile = load_profile(folder, settings.profile)
    prompter = Prompter(profile, load_tokenizer(folder))
    setup = EngineSetup(folder, profile, settings)
    engine = build_engine(setup)
    try:
        await engine.start()
        service = TokenService(profile, fingerprint(folder), Planner(profile, prompter, engine.context_tokens), engine)
        keep_heap()
        broken = await _answer(service, engine, setup)
    finally:
        await engine.stop()
    if broken:
        raise EngineFailed


async def _answer(service: TokenService, engine: Engine, setup: EngineSetup) -> bool:
    """Listens until a signal comes, then drains; True where the engine has broken instead."""
    settings = setup.settings
    serve_metrics(settings.metrics_host, settings.metrics_port)
    metrics.describe(engine.name, setup.profile.name, fingerprint(setup.folder))
    metrics.watch(engine)
    server = RpcServer()
    await server.start(settings.address, add_doors(server.grpc, service, engine, setup), settings.inside)
    log.info("ready on %s, engine %s", settings.address, engine.name)
    broken = await _first(engine.failed(), until_signalled()) == 0
    log.info("draining for at most %g s", settings.grace_seconds)
    service.draining = True
    await server.stop(settings.grace_seconds)
    return broken


async def _first(*waits: Coroutine[None, None, None]) -> int:
    """The index of whichever returns first; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    return next(index for index, task in enumerate(tasks) if task.done() and not task.cancelled())


def loop_factory(engine: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where vLLM, which brings it, hands its tokens over on the loop that serves: with hundreds of fast streams
    that loop seems to be what limits them. None is Python's own."""
    if engine != "vllm" or find_spec("uvloop") is None:
        return None
    import uvloop

    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def main() -> None:
    """Runs until SIGTERM; exits with a sentence and 1 where the engine has failed."""
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        with (
            starting("token", TokenSettings) as settings,
            asyncio.Runner(loop_factory=loop_factory(settings.engine)) as runner,
        ):
            runner.run(serve(settings))
    except EngineFailed:
        print("the engine failed and cannot go on: start this process again; the log above tells why", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    main()
