"""The gateway's settings: SWARA_GATEWAY_* variables and flags."""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from gateway.text import Style
from swara.address import bracketed, check, is_unix
from swara.errors import SetupError
from swara.player import START_HELD_SECONDS
from swara.settings import ServiceSettings
from swara.tls import Certificate

# A character takes at most 12 bytes as JSON (two escaped surrogates); the other fields fit in the rest.
JSON_BYTES_PER_CHARACTER = 12
OTHER_FIELDS_BYTES = 16_384


class GatewaySettings(ServiceSettings):
    """`SWARA_GATEWAY_*` variables or flags. Addresses are `host:port` or `unix:/path`."""

    model_config = SettingsConfigDict(env_prefix="SWARA_GATEWAY_", cli_prog_name="python -m gateway")

    address: str = Field("127.0.0.1:50051", description="where gRPC is served; several with commas")
    http_address: str = Field("127.0.0.1:8080", description="where HTTP and WebSocket are served")
    audio_address: str = Field(
        "127.0.0.1:50052",
        description="where the audio services are: addresses separated by commas; dns:///name:port stands for "
        "every address that DNS gives for the name; for several models name=addresses;name=addresses",
    )
    access: Literal["keys", "open"] = Field(
        "keys", description="who may come in: whoever has a key of key_file, or everybody who reaches the addresses"
    )
    key_file: str = Field(
        "",
        description="the API keys, hashed (SECURITY.md); read again when it changes; `python -m gateway.keys` adds one",
    )
    usage_file: str = Field("", description="gets a line of JSON for each speech that was heard; - is stdout")
    allowed_origins: str = Field(
        "",
        description="origins of other servers' pages that browsers may speak from, as https://example.org, by commas; "
        "pages of this server may anyway",
    )
    tls_cert_file: str = Field("", description="certificate chain of the public doors, PEM; read again when it changes")
    tls_key_file: str = Field("", description="its private key, PEM")
    peer_address: str = Field(
        "",
        description="another address for gRPC, with the inside_ certificates, where other gateways reach this one",
    )
    idle_seconds: float = Field(
        600.0, gt=0, description="WebSockets on which nothing is said for this long, either way, are closed"
    )
    max_connections: int = Field(
        10_000, ge=1, description="HTTP and WebSocket connections at once; past it requests are answered with 503"
    )
    metrics_port: int = Field(9101, ge=1, le=65_535, description="Prometheus port")
    max_text_characters: int = Field(5_000, ge=1, description="longest text of one request, in characters")
    text_normalization: Literal["on", "off"] = Field(
        "on", description="numbers, dates, money and signs become words (docs/text.md); off leaves them to the model"
    )
    text_markdown: Literal["strip", "speak"] = Field("strip", description="markdown is taken off, or read as it stands")
    text_emoji: Literal["strip", "speak"] = Field("strip", description="emoji are left out, or read by their names")
    max_streams: int = Field(256, ge=1, description="streams spoken at once; one more is told Full")
    queue_seconds: float = Field(
        0.0, ge=0, description="how long a new stream may wait for room; 0 tells it at once that there is none"
    )
    first_seconds: float = Field(
        10.0, gt=0, description="an audio service that has not spoken for this long is given up for another"
    )
    progress_seconds: float = Field(
        2.0, gt=0, description="an audio service that falls silent for this long is given up, if there is another"
    )
    resume_key: str = Field(
        "",
        description="signs resume tokens: 32 hexadecimal digits or more, the same on every gateway; several, separated "
        "by commas, while it is being changed; drawn for this process where it is empty",
    )
    resume_seconds: float = Field(300.0, gt=0, description="how long a resume token is good for")
    max_lead_seconds: float = Field(
        0.0,
        ge=0,
        description="how far generation may run ahead of playback, in seconds of audio: 0.2 or more; 0 is no bound",
    )
    writer_pause_seconds: float = Field(
        60.0, gt=0, description="how long somebody who writes a text while it is spoken may write nothing"
    )
    advertised_address: str = Field(
        "", description="where other gateways reach this one's gRPC, for listeners who join there; empty takes address"
    )
    max_listeners: int = Field(1_000, ge=1, description="listeners of shareable syntheses at once, beside max_streams")
    history_bytes: int = Field(
        8_388_608,
        ge=96_000,
        description="what is kept of a shareable synthesis for those who join: PCM, 3 minutes of it, and resume tokens",
    )
    linger_seconds: float = Field(
        30.0, ge=0, description="how long a shareable synthesis can be joined after its last listener has heard its end"
    )
    max_connection_seconds: float = Field(
        300.0,
        ge=0,
        description="gRPC callers are told to connect anew after this long, so that they find new gateways; running "
        "streams go on; 0 is never",
    )
    silent_seconds: float = Field(10.0, ge=1, description="listeners who take nothing for this long are hung up on")

    @field_validator("max_lead_seconds")
    @classmethod
    def _bears_a_player(cls, seconds: float) -> float:
        if 0 < seconds < START_HELD_SECONDS:
            raise ValueError(f"0, or at least the {START_HELD_SECONDS:g} s that a player holds; with less it stutters")
        return seconds

    @property
    def max_body_bytes(self) -> int:
        """Largest HTTP body or WebSocket message that can be a valid request."""
        return self.max_text_characters * JSON_BYTES_PER_CHARACTER + OTHER_FIELDS_BYTES

    @property
    def owner_address(self) -> str:
        """Where other gateways reach this one; of several addresses the first that is not a Unix socket's.

        Raises SetupError for what is no address.
        """
        served = [address.strip() for address in (self.peer_address or self.address).split(",")]
        owner = bracketed(self.advertised_address) or next((one for one in served if not is_unix(one)), served[0])
        check(owner)
        return owner

    @property
    def public_certificate(self) -> Certificate | None:
        """What the public doors show; None where they are in the clear. Raises SetupError."""
        if bool(self.tls_cert_file) != bool(self.tls_key_file):
            raise SetupError("tls_cert_file and tls_key_file are set together or not at all")
        return Certificate(Path(self.tls_cert_file), Path(self.tls_key_file)) if self.tls_cert_file else None

    @property
    def style(self) -> Style:
        """How texts are read."""
        return Style(self.text_normalization, self.text_markdown, self.text_emoji)
