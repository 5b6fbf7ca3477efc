"""Listeners who ask again and again, and what each of them heard."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from audio_service.codec import load_codec
from audio_service.stream import Voicing
from swara.frames import SLOTS
from swara.pcm import Samples, from_float
from swara.player import Playback
from swara_client import Client, Full, SpeechError
from tests.audio_service.codecs import DEMO_CODEC, whole_decode
from tests.faults.cluster import Cluster
from tests.faults.listening import codes_in

# About three seconds each; every seed is another speech.
TEXT = "आज सुबह से बहुत तेज़ बारिश हो रही है।"
SEEDS = (11, 12, 13, 14)
ASK_AGAIN_SECONDS = 0.25
TIMEOUT_SECONDS = 120.0
SETTLE_SECONDS = 10.0


@dataclass(frozen=True)
class Told:
    """One speech as its listener got it: codes are packed, times in seconds, `asked_seconds` on the monotonic clock."""

    seed: int
    samples: Samples
    codes: bytes
    asked_seconds: float
    gap_seconds: float
    playback: Playback
    resumed: int


@dataclass
class Crowd:
    """Listeners in threads, each asking again as soon as it has heard its text; refused ones ask again, too.

    `rest_share` is the share of a speech's time for which its listener rests afterwards.
    """

    addresses: Sequence[str]
    listeners: int
    rest_share: float = 0.0
    told: list[Told] = field(default_factory=list)
    refused_seconds: list[float] = field(default_factory=list)
    lost: list[SpeechError] = field(default_factory=list)
    # How often each listener has asked and been answered to the end.
    turns: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.turns = dict.fromkeys(range(self.listeners), 0)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """They ask until the end of the block, and are heard to their end; raises what broke one of them."""
        over = threading.Event()
        with ThreadPoolExecutor(self.listeners) as threads:
            listening = [threads.submit(self._listen, k, over) for k in range(self.listeners)]
            try:
                yield
            finally:
                over.set()
                # What broke a listener is the cause of whatever the block complains of.
                for listener in listening:
                    listener.result()

    @property
    def underruns(self) -> int:
        """Of all speeches together."""
        return sum(told.playback.underruns for told in self.told)

    @property
    def audio_seconds(self) -> float:
        """Of all speeches together."""
        return sum(told.playback.audio_seconds for told in self.told)

    def _listen(self, number: int, over: threading.Event) -> None:
        seed, turn = SEEDS[number % len(SEEDS)], number % len(self.addresses)
        with Client([*self.addresses[turn:], *self.addresses[:turn]], resume=True) as client:
            while not over.is_set():
                asked_seconds = time.monotonic()
                try:
                    self.told.append(told := hear(client, seed))
                except Full:
                    self.refused_seconds.append(time.monotonic() - asked_seconds)
                    over.wait(ASK_AGAIN_SECONDS)
                except SpeechError as error:
                    self.lost.append(error)
                else:
                    over.wait(self.rest_share * told.playback.audio_seconds)
                finally:
                    self.turns[number] += 1


def spoken(crowd: Crowd, seconds: float) -> float:
    """How many seconds of audio a crowd hears a second."""
    began_seconds = time.monotonic()
    with crowd.asking():
        time.sleep(seconds)
    return crowd.audio_seconds / (time.monotonic() - began_seconds)


def settle(cluster: Cluster) -> None:
    """What fits is known once it has been tried: the first guess was made while all services were starting."""
    spoken(Crowd(cluster.addresses, cluster.places()), SETTLE_SECONDS)
    cluster.wait_until_idle()


def hear(client: Client, seed: int) -> Told:
    """One speech to its end; raises SpeechError."""
    asked_seconds = time.monotonic()
    speech = client.synthesize(TEXT, seed=seed, timeout_seconds=TIMEOUT_SECONDS)
    pieces, times = [], []
    for samples in speech:
        pieces.append(samples)
        times.append(time.monotonic())
    assert speech.playback
    return Told(
        seed=seed,
        samples=np.concatenate(pieces),
        codes=codes_in(speech.resume_token),
        asked_seconds=asked_seconds,
        gap_seconds=float(np.diff(times).max(initial=0.0)),
        playback=speech.playback,
        resumed=speech.resumed,
    )


def assert_law_one(told: Told) -> None:
    """The samples are those of one whole decode of the codes that were received, each within 1."""
    wanted = _decoded(told.codes, told.seed)
    assert len(told.samples) == len(wanted)
    assert np.abs(told.samples.astype(np.int32) - wanted).max() <= 1


@cache
def _decoded(codes: bytes, seed: int) -> Samples:
    frames = np.frombuffer(codes, "<u2").reshape(-1, SLOTS)
    return from_float(whole_decode(load_codec(str(DEMO_CODEC)), frames, Voicing(seed)))
