"""The errors every service may answer with. Domain code raises them; edges translate them to their wire.

SwaraError
 ├── InvalidRequest      the caller must change the request
 │    └── UnknownName    ... because no such model or voice exists
 ├── Unauthenticated     no API key came, or one that is not known
 ├── NotFound            there is no such synthesis, or it is not the caller's to hear
 ├── OutOfRange          a listener wants what the history no longer holds
 ├── NotBuilt            the service that is asked does not know the call: it is older than the contract
 ├── Full                no room now; `retry_after_seconds` says when to try again
 │    └── RateLimited    ... because the caller's key has used what it may
 ├── Unavailable         a service that is needed does not answer, or is shutting down
 │    └── Withdrawn      ... because it ended the call itself, as it does at the end of its grace period
 ├── TimedOut            the deadline passed
 │    └── Silent         ... because the caller itself said or took nothing for too long
 ├── Cancelled           the caller went away
 └── Broken              our fault
SetupError               a service cannot start: the sentence goes to stderr, the exit code is 2
"""

from asyncio import CancelledError
from typing import ClassVar

# The outcome of a request whose caller fell silent.
SILENT = "silent"
# A stream lasts seconds; trying again sooner would mostly be refused again.
RETRY_AFTER_SECONDS = 1.0


class SwaraError(Exception):
    """A sentence for the caller, and the codes by which each wire tells its kind.

    The gRPC code is stored by name so that domain files need not import grpc.
    """

    grpc_code: ClassVar[str] = "INTERNAL"
    http_status: ClassVar[int] = 500
    websocket_close: ClassVar[int] = 1011
    label: ClassVar[str] = "broken"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    @property
    def outcome(self) -> str:
        """What a request that ended so is counted as: its label, unless that leaves open whose fault it was."""
        return self.label


class InvalidRequest(SwaraError):
    """The caller must change the request."""

    grpc_code = "INVALID_ARGUMENT"
    http_status = 400
    websocket_close = 1008
    label = "invalid"


class UnknownName(InvalidRequest):
    """No such model or voice; the sentence lists the ones that exist."""

    label = "unknown_name"


class Unauthenticated(SwaraError):
    """No API key came with the request, or one that is not known."""

    grpc_code = "UNAUTHENTICATED"
    http_status = 401
    websocket_close = 1008
    label = "invalid_api_key"


class NotFound(SwaraError):
    """There is no such synthesis; the same is said of one that the caller may not hear."""

    grpc_code = "NOT_FOUND"
    http_status = 404
    websocket_close = 1008
    label = "not_found"


class OutOfRange(SwaraError):
    """A listener wants samples that the history does not hold."""

    grpc_code = "OUT_OF_RANGE"
    http_status = 416
    websocket_close = 1008
    label = "out_of_range"


class NotBuilt(SwaraError):
    """The service that is asked does not know the call: it is older than the contract."""

    grpc_code = "UNIMPLEMENTED"
    http_status = 501
    websocket_close = 1008
    label = "not_built"


class Full(SwaraError):
    """No room for a new stream now."""

    grpc_code = "RESOURCE_EXHAUSTED"
    http_status = 429
    websocket_close = 1013
    label = "full"

    def __init__(self, sentence: str, retry_after_seconds: float = RETRY_AFTER_SECONDS) -> None:
        super().__init__(sentence)
        self.retry_after_seconds = retry_after_seconds


class RateLimited(Full):
    """The caller's key has used what it may for now."""

    label = "rate_limit_exceeded"


class Unavailable(SwaraError):
    """A service that is needed does not answer, or is shutting down."""

    grpc_code = "UNAVAILABLE"
    http_status = 503
    websocket_close = 1012
    label = "unavailable"


class Withdrawn(Unavailable):
    """A service ended a running call itself, as it does at the end of its grace period; nothing has crashed."""


class TimedOut(SwaraError):
    """The deadline passed."""

    grpc_code = "DEADLINE_EXCEEDED"
    http_status = 504
    websocket_close = 1011
    label = "timed_out"


class Silent(TimedOut):
    """The caller said or took nothing for too long; he is told the same, and it is not counted against us."""

    @property
    def outcome(self) -> str:
        """Silence."""
        return SILENT


class Cancelled(SwaraError):
    """The caller went away; nobody reads this."""

    grpc_code = "CANCELLED"
    http_status = 499
    websocket_close = 1001
    label = "cancelled"


class Broken(SwaraError):
    """Our fault; the log has the traceback under the request id."""


# What a caller is told of an error that nobody foresaw: nothing but where to look.
UNFORESEEN = "something went wrong here; the log tells what"


class SetupError(Exception):
    """A service cannot start; its sentence is all the operator should need."""


KINDS: tuple[type[SwaraError], ...] = (
    InvalidRequest,
    Unauthenticated,
    NotFound,
    OutOfRange,
    NotBuilt,
    Full,
    Unavailable,
    TimedOut,
    Cancelled,
    Broken,
)
# Kinds of one of these that a caller should be able to tell from it.
NARROWER: tuple[type[SwaraError], ...] = (UnknownName, RateLimited)


def kind_of(grpc_code: str, label: str = "") -> type[SwaraError]:
    """The error class of a gRPC status code name, with this label if it has such a one; Broken for any other code."""
    kinds = [kind for kind in (*KINDS, *NARROWER) if kind.grpc_code == grpc_code]
    return next((kind for kind in kinds if kind.label == label), kinds[0] if kinds else Broken)


def label_of(error: BaseException | None) -> str:
    """What a stream is counted as that this ended: cancelled if its caller went away, broken if nobody foresaw it."""
    if isinstance(error, CancelledError | GeneratorExit):
        return Cancelled.label
    return error.label if isinstance(error, SwaraError) else Broken.label
