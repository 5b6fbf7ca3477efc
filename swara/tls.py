"""TLS for gRPC: certificates from files, looked at again for every new connection to a server.

Between the services it is mutual: each shows a certificate, and believes only those of one authority that carry NAME.
Unix sockets need none; who may open them is the file system's to say.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from swara.errors import SetupError

# Replicas are reached by addresses that come and go, so their certificates carry one name and not where they are.
NAME = "swara.internal"


@dataclass(frozen=True)
class Certificate:
    """A certificate chain and its private key; `ca_file` is the authority that clients' must come from, if any must."""

    cert_file: Path
    key_file: Path
    ca_file: Path | None = None

    def server_credentials(self) -> grpc.ServerCredentials:
        """What a server shows; files that change count for the next connection. Raises SetupError."""
        return grpc.dynamic_ssl_server_credentials(
            self._configuration(), self._configuration_now, require_client_authentication=self.ca_file is not None
        )

    def channel_credentials(self) -> grpc.ChannelCredentials:
        """What a client shows and believes; raises SetupError."""
        authority = read(self.ca_file) if self.ca_file else None
        return grpc.ssl_channel_credentials(authority, read(self.key_file), read(self.cert_file))

    def _configuration(self) -> grpc.ServerCertificateConfiguration:
        pairs = [(read(self.key_file), read(self.cert_file))]
        return grpc.ssl_server_certificate_configuration(pairs, read(self.ca_file) if self.ca_file else None)

    def _configuration_now(self) -> Any:
        """As the files are; None leaves it as it was, where they are just being changed."""
        try:
            return self._configuration()
        except SetupError:
            return None


def read(path: Path) -> bytes:
    """A PEM file; raises SetupError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from None
    if b"-----BEGIN " not in data:
        raise SetupError(f"{path} is not a PEM file")
    return data
