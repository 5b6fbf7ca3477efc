"""The certificate of the HTTP door: taken from its files, and taken again when they change."""

import asyncio
import logging
import ssl

from swara.errors import SetupError
from swara.tls import Certificate

log = logging.getLogger(__name__)

# Certificates are renewed weeks before they end.
LOOK_SECONDS = 10.0


class Renewed:
    """A TLS context whose new connections get the certificate that the files hold now."""

    def __init__(self, certificate: Certificate) -> None:
        """Raises SetupError where the files cannot be used."""
        self._certificate = certificate
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._stamp = _stamp(certificate)
        self._load()

    async def run(self) -> None:
        """Looks at the files until it is cancelled; what cannot be used leaves the old certificate in place."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                if (stamp := _stamp(self._certificate)) != self._stamp:
                    self._stamp = stamp
                    self._load()
                    log.info("the certificate of the public doors has been renewed")
            except SetupError as error:
                log.error("the certificate has changed and is not taken: %s", error)

    def _load(self) -> None:
        try:
            self.context.load_cert_chain(self._certificate.cert_file, self._certificate.key_file)
        except (OSError, ssl.SSLError):
            raise SetupError(
                f"{self._certificate.cert_file} and {self._certificate.key_file} are not a certificate and its key"
            ) from None


def _stamp(certificate: Certificate) -> tuple[int, ...]:
    try:
        return tuple(path.stat().st_mtime_ns for path in (certificate.cert_file, certificate.key_file))
    except OSError as error:
        raise SetupError(f"{error.filename} cannot be read: {error.strerror}") from None
