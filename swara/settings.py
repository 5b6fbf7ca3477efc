"""Settings: one frozen object per service, from `SWARA_<SERVICE>_*` variables and `--flags`; flags win.

An unknown or malformed one stops the process with a sentence.
"""

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from swara.errors import SetupError
from swara.tls import Certificate

SERVICES = ("TOKEN", "AUDIO", "GATEWAY")
# The SDK's: whoever has them set may start services too.
CLIENT_VARIABLES = ("SWARA_API_KEY",)


class ServiceSettings(BaseSettings):
    """What every service can be told. Addresses are `host:port` or `unix:/path`."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", cli_kebab_case=True, env_ignore_empty=True)

    metrics_host: str = Field("0.0.0.0", description="interface of the Prometheus port, which must not be public")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="least severe line logged")
    log_format: Literal["text", "json"] = Field("text", description="text for people, json for collectors")
    inside_cert_file: str = Field(
        "",
        description="certificate that this service shows to the other services, PEM; all three inside_ files or none",
    )
    inside_key_file: str = Field("", description="its private key, PEM")
    inside_ca_file: str = Field("", description="the authority that every service's certificate must come from, PEM")
    traces_address: str = Field(
        "", description="OTLP collector that traces are sent to by gRPC, host:port; empty sends none"
    )
    traces_share: float = Field(
        1.0, ge=0, le=1, description="how many of the requests that come without a trace begin one"
    )
    grace_seconds: float = Field(10.0, ge=0, description="how long running streams may go on after SIGTERM")

    @property
    def inside(self) -> Certificate | None:
        """For talking to the other services; None where they talk in the clear. Raises SetupError."""
        given = self.inside_cert_file, self.inside_key_file, self.inside_ca_file
        if not any(given):
            return None
        if not all(given):
            raise SetupError("inside_cert_file, inside_key_file and inside_ca_file are set together or not at all")
        return Certificate(*map(Path, given))

    @classmethod
    def load(cls, arguments: list[str]) -> Self:
        """Reads environment and flags; raises SetupError that names every wrong one."""
        _refuse_unknown_variables(cls)
        try:
            return cls(_cli_parse_args=arguments)  # type: ignore[call-arg]
        except (ValidationError, SettingsError) as error:
            raise SetupError(_sentence(error)) from None


def _refuse_unknown_variables(cls: type[ServiceSettings]) -> None:
    prefix = cls.model_config["env_prefix"]
    known = {prefix + name.upper() for name in cls.model_fields}
    mine = {name for name in os.environ if name.startswith(prefix)}
    nobodys = {
        name
        for name in os.environ
        if name.startswith("SWARA_")
        and name not in CLIENT_VARIABLES
        and not name.startswith(tuple(f"SWARA_{service}_" for service in SERVICES))
    }
    if wrong := sorted((mine - known) | nobodys):
        raise SetupError(f"unknown setting {', '.join(wrong)}; known are {', '.join(sorted(known))}")


def _sentence(error: ValidationError | SettingsError) -> str:
    if isinstance(error, SettingsError):
        return str(error)
    return "; ".join(
        f"setting {'.'.join(map(str, item['loc']))}: {item['msg'].removeprefix('Value error, ')}"
        for item in error.errors()
    )
