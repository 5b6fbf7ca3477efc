"""How a client comes in: the API key it shows, and whose certificates it believes."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import grpc

from swara.v1 import speech_service_pb2_grpc as speech_grpc

KEY_VARIABLE = "SWARA_API_KEY"


@dataclass(frozen=True)
class Tls:
    """TLS to the gateway: as everybody's browsers believe it, or by an authority of one's own (PEM files).

    `cert_file` and `key_file` are for gateways that ask their clients for a certificate; `name` is for a certificate
    that does not carry the address.
    """

    ca_file: str | Path | None = None
    cert_file: str | Path | None = None
    key_file: str | Path | None = None
    name: str = ""

    def credentials(self) -> grpc.ChannelCredentials:
        """For a channel; raises OSError for a file that cannot be read."""
        return grpc.ssl_channel_credentials(*map(_read, (self.ca_file, self.key_file, self.cert_file)))

    def options(self) -> tuple[tuple[str, str], ...]:
        """For a channel, beside its other options."""
        return (("grpc.ssl_target_name_override", self.name),) if self.name else ()


def key_of(api_key: str | None) -> str:
    """The key as given, or that of the environment."""
    return os.environ.get(KEY_VARIABLE, "") if api_key is None else api_key


def tls_of(given: argparse.Namespace) -> Tls | None:
    """What the command line asks for with --tls and --ca-file."""
    return Tls(given.ca_file) if given.tls or given.ca_file else None


def open_channel(module: Any, address: str, options: Sequence[tuple[str, int]], tls: Tls | None) -> Any:
    """A channel of `grpc` or of `grpc.aio`."""
    if tls is None or address.startswith("unix:"):
        return module.insecure_channel(address, options=options)
    return module.secure_channel(address, tls.credentials(), options=(*options, *tls.options()))


class KeyedStub:
    """SpeechService's calls, each with the key."""

    def __init__(self, channel: Any, key: str) -> None:
        stub = speech_grpc.SpeechServiceStub(channel)
        metadata = (("authorization", f"Bearer {key}"),) if key else ()
        self.Synthesize: Any = partial(stub.Synthesize, metadata=metadata)
        self.StreamSynthesize: Any = partial(stub.StreamSynthesize, metadata=metadata)
        self.Listen: Any = partial(stub.Listen, metadata=metadata)
        self.ListVoices: Any = partial(stub.ListVoices, metadata=metadata)


def _read(path: str | Path | None) -> bytes | None:
    return Path(path).read_bytes() if path else None
