"""The errors a client sees: each has a sentence, a request id if there was one, and a retry hint if there is one.

SpeechError
 ├── InvalidRequest      change the request
 │    └── UnknownName    ... because no such model or voice exists
 ├── Unauthenticated     the gateway asks for an API key, or does not know this one
 ├── NotFound            there is no such synthesis to listen to
 ├── OutOfRange          a listener wants what the gateway's history no longer holds, or fell too far behind
 ├── NotBuilt            this gateway does not do that yet
 ├── Full                no room now; try again after `retry_after_seconds`
 │    └── RateLimited    ... because the API key has used what it may
 ├── Unavailable         nobody answers, or a service went away in the middle
 ├── TimedOut            the deadline passed
 └── Broken              the server's fault; quote the request id
"""

from typing import Any

from swara import errors

# Codes that gRPC itself gives a call whose other end is gone.
GONE = ("UNAVAILABLE", "CANCELLED")
# How gRPC itself refuses a message, with the code that otherwise means full.
TOO_LARGE = "larger than max"
RETRY_KEY = "swara-retry-after-seconds"


class SpeechError(Exception):
    """Speech could not be had, or not to its end."""

    def __init__(self, sentence: str, request_id: str = "", retry_after_seconds: float | None = None) -> None:
        self.sentence = f"{sentence} (request {request_id})" if request_id not in sentence else sentence
        super().__init__(self.sentence)
        self.request_id = request_id
        self.retry_after_seconds = retry_after_seconds


class InvalidRequest(SpeechError):
    """The request must be changed."""


class UnknownName(InvalidRequest):
    """No such model or voice; the sentence lists the ones that exist."""


class Unauthenticated(SpeechError):
    """The gateway asks for an API key, or does not know this one."""


class NotFound(SpeechError):
    """There is no such synthesis to listen to."""


class OutOfRange(SpeechError):
    """A listener wants what the gateway's history no longer holds, or fell too far behind."""


class NotBuilt(SpeechError):
    """This gateway does not do that yet."""


class Full(SpeechError):
    """No room for a new stream now."""


class RateLimited(Full):
    """The API key has used what it may for now."""


class Unavailable(SpeechError):
    """Nobody answers at the address, or a service went away in the middle."""


class TimedOut(SpeechError):
    """The deadline passed."""


class Broken(SpeechError):
    """The server's fault."""


KINDS: dict[str, type[SpeechError]] = {
    errors.InvalidRequest.label: InvalidRequest,
    errors.UnknownName.label: UnknownName,
    errors.Unauthenticated.label: Unauthenticated,
    errors.NotFound.label: NotFound,
    errors.OutOfRange.label: OutOfRange,
    errors.NotBuilt.label: NotBuilt,
    errors.Full.label: Full,
    errors.RateLimited.label: RateLimited,
    errors.Unavailable.label: Unavailable,
    errors.TimedOut.label: TimedOut,
    # A gateway that ends while it speaks cancels the call.
    errors.Cancelled.label: Unavailable,
}


def from_status(error: Any, address: str, request_id: str = "", server: str = "gateway") -> SpeechError:
    """The error that a failed call (a grpc.RpcError with its status) to the server at `address` stands for."""
    metadata = {key: value for key, value in error.trailing_metadata() or () if isinstance(value, str)}
    code = error.code().name
    label = metadata.get("swara-error")
    sentence = error.details() or f"the {server} at {address} failed without a sentence ({code})"
    if label is None and code in GONE:
        sentence = f"the {server} at {address} went away or cannot be reached"
    if label is None and TOO_LARGE in sentence:
        label = errors.InvalidRequest.label
    kind = KINDS.get(label or errors.kind_of(code).label, Broken)
    return kind(sentence, metadata.get("swara-request-id", request_id), _seconds(metadata.get(RETRY_KEY)))


def _seconds(value: str | None) -> float | None:
    try:
        return None if value is None else max(0.0, float(value))
    except ValueError:
        return None
