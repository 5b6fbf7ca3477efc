"""Settings of the token service."""

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from swara.settings import ServiceSettings


class TokenSettings(ServiceSettings):
    """`SWARA_TOKEN_*` variables or flags; `python -m token_service --help` lists them."""

    model_config = SettingsConfigDict(env_prefix="SWARA_TOKEN_", cli_prog_name="python -m token_service")

    model: str = Field("demo_model/weights/language_model", description="model folder, or hub id like owner/name")
    profile: str = Field("orpheus", description="built-in profile for a checkpoint without profile.json")
    engine: Literal["native"] = Field("native", description="what runs the model")
    address: str = Field("127.0.0.1:50053", description="where gRPC listens, host:port or unix:/path")
    metrics_port: int = Field(9103, ge=0, le=65535, description="Prometheus port")
    threads: int = Field(1, ge=1, description="CPU threads of one step; codes are repeatable for a fixed number")
    max_streams: int = Field(
        8, ge=1, description="places for new streams; fewer are given where this machine is slower"
    )
    reserve_streams: int = Field(2, ge=0, description="places beyond max_streams for running texts and resumed streams")
    context_tokens: int = Field(4096, ge=64, description="longest prompt and speech together; bounds KV memory")
