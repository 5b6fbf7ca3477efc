"""What one API key has running and may still use. Each gateway counts for itself."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import BaseModel, ConfigDict, Field

from gateway.access.admission import RESERVE_SHARE
from gateway.access.allowance import Allowance
from swara.errors import Full, RateLimited
from swara.speech import AdmissionClass


class KeyLimits(BaseModel):
    """What a key may do at each gateway; what is not given is without limit of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    streams: int | None = Field(default=None, ge=1, description="texts spoken at once")
    listeners: int | None = Field(default=None, ge=1, description="joined syntheses at once")
    requests_per_minute: int | None = Field(default=None, ge=1, description="texts and joins begun a minute")
    characters_per_minute: int | None = Field(default=None, ge=1, description="characters of text a minute")


class Account:
    """One key's; without a name it is that of everybody, where the gateway is open."""

    def __init__(self, name: str = "", limits: KeyLimits | None = None) -> None:
        self.name = name
        self._limits = limits or KeyLimits()
        self._requests = Allowance(self._limits.requests_per_minute)
        self._characters = Allowance(self._limits.characters_per_minute)
        self._speaking = 0
        self._listening = 0

    def limit(self, limits: KeyLimits) -> None:
        """From now on these; what is running and what was used stays counted."""
        self._limits = limits
        self._requests.per_minute = limits.requests_per_minute
        self._characters.per_minute = limits.characters_per_minute

    @contextmanager
    def speaking(self, admission_class: AdmissionClass = AdmissionClass.NEW) -> Iterator[None]:
        """A place for one text; raises Full and RateLimited.

        What another gateway has begun draws on a reserve, and was counted there.
        """
        resumed = admission_class is not AdmissionClass.NEW
        places = _with_reserve(self._limits.streams) if resumed else self._limits.streams
        self._refuse_past(places, self._speaking, "streams")
        if not resumed:
            self._count_request()
        self._speaking += 1
        try:
            yield
        finally:
            self._speaking -= 1

    @contextmanager
    def listening(self) -> Iterator[None]:
        """A place for one who joins; raises Full and RateLimited."""
        self._refuse_past(self._limits.listeners, self._listening, "listeners")
        self._count_request()
        self._listening += 1
        try:
            yield
        finally:
            self._listening -= 1

    def spoke(self, characters: int) -> None:
        """Counts a text."""
        self._characters.take(characters, time.monotonic())

    def _refuse_past(self, places: int | None, taken: int, what: str) -> None:
        if places is not None and taken >= places:
            raise Full(f"all {places} {what} of the API key {self.name} are taken")

    def _count_request(self) -> None:
        now_seconds = time.monotonic()
        allowances = (("requests", self._requests), ("characters", self._characters))
        for what, allowance in allowances:
            if (wait_seconds := allowance.wait_seconds(now_seconds)) > 0:
                raise RateLimited(
                    f"the API key {self.name} has used its {allowance.per_minute} {what} a minute", wait_seconds
                )
        self._requests.take(1, now_seconds)


def _with_reserve(streams: int | None) -> int | None:
    return None if streams is None else streams + max(1, round(streams * RESERVE_SHARE))
