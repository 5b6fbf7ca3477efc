"""How a speech outlives its gateway, without I/O: what is asked for next, where, and until when."""

from collections.abc import Sequence
from dataclasses import dataclass

from swara.channel import OPTIONS
from swara.v1 import speech_service_pb2 as speech_pb2
from swara_client.errors import Full, InvalidRequest, SpeechError, Unavailable

# Gateways that went away are asked again for so long; a listener who still waits then has heard a long silence.
PATIENCE_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 1.0
# A gateway that is silent for 2 s is asked for a sign of life and given up 2 s later, not after 10 s in all; one that
# cannot be connected to is given up as fast.
KEEPALIVE = (
    ("grpc.keepalive_time_ms", 2_000),
    ("grpc.keepalive_timeout_ms", 2_000),
    ("grpc.http2.ping_timeout_ms", 2_000),
    # How long one attempt to connect may take.
    ("grpc.min_reconnect_backoff_ms", 2_000),
)


def addresses_of(given: str | Sequence[str]) -> tuple[str, ...]:
    """The addresses in a list, or in a string that separates them by commas; raises InvalidRequest for none."""
    parts = given.split(",") if isinstance(given, str) else given
    if not (addresses := tuple(part.strip() for part in parts if part.strip())):
        raise InvalidRequest("there is no address of a gateway")
    return addresses


def channel_options(resume: bool) -> tuple[tuple[str, int], ...]:
    """gRPC's options for a client that goes on elsewhere, or does not."""
    return tuple((dict(OPTIONS) | dict(KEEPALIVE if resume else ())).items())


@dataclass
class Favourite:
    """The index of the gateway that answered last, which all speeches of one client begin with."""

    at: int = 0
    gateways: int = 1

    def is_away(self, at: int) -> None:
        """A gateway does not answer: where it was the favourite, the next one is."""
        if self.at == at:
            self.at = (at + 1) % self.gateways


class Comeback:
    """What one speech needs to go on elsewhere; times in seconds on any one clock.

    `at` is the index of the gateway that is asked now.
    """

    def __init__(
        self, request: speech_pb2.SynthesizeRequest, gateways: int, resume: bool, favourite: Favourite | None = None
    ) -> None:
        self._favourite = favourite or Favourite()
        self.at = self._favourite.at
        self._gateways = gateways
        self._resume = resume
        self._request = speech_pb2.SynthesizeRequest()
        self._request.CopyFrom(request)
        self._request.resumable = resume
        self._token = b""
        self._heard = False
        self._lost_seconds: float | None = None
        self._tries = 0

    @property
    def request(self) -> speech_pb2.SynthesizeRequest:
        """What is to be asked for now: the text, or what is left of it."""
        if not self._token:
            return self._request
        return speech_pb2.SynthesizeRequest(resume_token=self._token, resumable=True)

    def took(self, response: speech_pb2.SynthesizeResponse) -> None:
        """An event came."""
        self._favourite.at = self.at
        event = response.WhichOneof("event")
        if event == "started" and not self._heard:
            # Should it be asked for again, it is the same speech.
            self._request.speaker.seed = response.started.seed
        elif event == "chunk":
            self._heard, self._token = True, response.chunk.resume_token
            self._lost_seconds, self._tries = None, 0

    def pause_seconds(self, failure: SpeechError, now_seconds: float) -> float:
        """How long to wait before asking `request` of the gateway `at`; raises the failure where it is final."""
        lost = self._lost_seconds is not None
        if not self._resume or not isinstance(failure, (Unavailable, Full) if lost else Unavailable):
            raise failure
        if self._heard and not self._token:
            raise failure
        self._lost_seconds = now_seconds if self._lost_seconds is None else self._lost_seconds
        self._tries += 1
        self.at = (self.at + 1) % self._gateways
        rounds = self._tries // self._gateways
        # What nobody has heard anything of is tried once everywhere: whoever asked can ask again.
        if now_seconds - self._lost_seconds > PATIENCE_SECONDS or (rounds and not self._heard):
            raise failure
        return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (rounds - 1)) if rounds else 0.0
