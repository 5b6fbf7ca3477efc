"""What the audio service can be told."""

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from swara.settings import ServiceSettings


class AudioSettings(ServiceSettings):
    """Settings from SWARA_AUDIO_* variables and flags."""

    model_config = SettingsConfigDict(env_prefix="SWARA_AUDIO_", cli_prog_name="python -m audio_service")

    codec: str = Field("demo_model/weights/codec", description="folder or hub id of the codec")
    device: Literal["cpu", "cuda"] = Field("cpu", description="where the codec runs")
    precision: Literal["fp16x3", "tf32x3", "tf32", "bf16"] = Field(
        "fp16x3", description="what a CUDA device's matrix units multiply; the first two come near float32"
    )
    threads: int = Field(1, ge=1, description="CPU cores the codec uses; leave the others to the language model")
    address: str = Field(
        "127.0.0.1:50052", description="where gRPC listens: host:port or unix:/path, or several with commas"
    )
    token_address: str = Field("127.0.0.1:50053", description="where the token service listens")
    metrics_port: int = Field(9102, ge=0, le=65_535, description="port of the Prometheus metrics")
    max_streams: int = Field(64, ge=1, description="streams at once before a new one is refused")
    reserve_streams: int = Field(16, ge=0, description="streams beyond that, for work that was begun before")
