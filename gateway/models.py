"""The models behind this gateway: which exist, and who speaks with each."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from gateway.model import Model, shown
from gateway.speech.segment import AudioSource
from swara.errors import SwaraError, UnknownName

log = logging.getLogger(__name__)

# A service that came back with another model is noticed after this; asking each time would cost every request two hops.
FRESH_SECONDS = 5.0
# As often as the pools look at their replicas.
LEARN_SECONDS = 0.5
# The name of a pool that has none.
UNNAMED = ""


class Models:
    """Finds models by name, and who speaks with them; remembers what they are for `FRESH_SECONDS`.

    Each pool of audio services has the name of its model; the one pool of a gateway that has no other may be unnamed
    (""), and is then called as its model calls itself. `learned` is told of a model before anybody is answered with it.
    """

    def __init__(
        self, sources: Mapping[str, AudioSource], learned: Callable[[Model], None] = lambda model: None
    ) -> None:
        self._sources = dict(sources)
        self._learned = learned
        self._known: dict[str, tuple[Model, float]] = {}

    async def find(self, name: str) -> Model:
        """The model of that name, or the first where it is empty; raises UnknownName or Unavailable."""
        pool = self._pool(name)
        model = await self._model(pool)
        if name and name != model.name:
            raise UnknownName(f"there is no model {shown(name)}; this gateway has {model.name}")
        return model

    def source(self, name: str) -> AudioSource:
        """Who speaks with the model of that name; raises UnknownName."""
        return self._sources[self._pool(name)]

    async def all(self) -> list[Model]:
        """Every model whose services answer, the default first; raises Unavailable where none does."""
        found = await asyncio.gather(*map(self._model, self._sources), return_exceptions=True)
        if models := [model for model in found if isinstance(model, Model)]:
            return models
        raise next(error for error in found if isinstance(error, BaseException))

    async def learn(self) -> None:
        """Asks until every model is known; `learned` is then told of each before a listener asks for it."""
        async with asyncio.TaskGroup() as group:
            for pool in self._sources:
                group.create_task(self._learn(pool))

    async def ask_again(self) -> None:
        """Asks the services themselves, now; raises Unavailable where none of them answers."""
        self._known.clear()
        await self.all()

    async def _learn(self, pool: str) -> None:
        while True:
            with suppress(SwaraError):
                log.info("the model %s is known", (await self._model(pool)).name)
                return
            await asyncio.sleep(LEARN_SECONDS)

    def _pool(self, name: str) -> str:
        """The name of the pool that a caller's name for a model stands for."""
        if UNNAMED in self._sources:
            return UNNAMED
        if name and name not in self._sources:
            raise UnknownName(f"there is no model {shown(name)}; this gateway has {', '.join(self._sources)}")
        return name or next(iter(self._sources))

    async def _model(self, pool: str) -> Model:
        model, asked_seconds = self._known.pop(pool, (None, 0.0))
        if model is None or time.monotonic() - asked_seconds > FRESH_SECONDS:
            model, asked_seconds = await self._sources[pool].model(), time.monotonic()
            self._learned(model)
        self._known[pool] = model, asked_seconds
        return replace(model, name=pool or model.name)
