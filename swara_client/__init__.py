"""The Python client of Swara: text in, live PCM out. Needs grpcio, protobuf and numpy, and no server."""

from swara_client.access import Tls
from swara_client.aio import AsyncClient, AsyncSpeech
from swara_client.client import Client, Speech
from swara_client.connected import DEFAULT_ADDRESS
from swara_client.errors import (
    Broken,
    Full,
    InvalidRequest,
    NotBuilt,
    NotFound,
    OutOfRange,
    RateLimited,
    SpeechError,
    TimedOut,
    Unauthenticated,
    Unavailable,
    UnknownName,
)
from swara_client.live import LiveSpeech
from swara_client.live_aio import AsyncLiveSpeech
from swara_client.request import FLUSH, Flush, Voice
from swara_client.speech import Finished, Started

__all__ = [
    "DEFAULT_ADDRESS",
    "FLUSH",
    "AsyncClient",
    "AsyncLiveSpeech",
    "AsyncSpeech",
    "Broken",
    "Client",
    "Finished",
    "Flush",
    "Full",
    "InvalidRequest",
    "LiveSpeech",
    "NotBuilt",
    "NotFound",
    "OutOfRange",
    "RateLimited",
    "Speech",
    "SpeechError",
    "Started",
    "TimedOut",
    "Tls",
    "Unauthenticated",
    "Unavailable",
    "UnknownName",
    "Voice",
]
