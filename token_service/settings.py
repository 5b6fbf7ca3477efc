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
    engine: Literal["native", "tensorrt-llm", "vllm", "remote"] = Field("native", description="what runs the model")
    remote_address: str = Field(
        "", description="of engine remote: where a server speaks vLLM's gRPC protocol, host:port or unix:/path"
    )
    weights: Literal["checkpoint", "dummy"] = Field(
        "checkpoint", description="dummy takes random ones of the checkpoint's shape, to measure without it"
    )
    precision: Literal["auto", "fp32", "fp16", "bf16", "fp8", "int8"] = Field(
        "auto", description="of the weights; auto is the engine's own choice"
    )
    kv_cache_precision: Literal["auto", "fp8"] = Field("auto", description="auto is that of the weights")
    kv_cache_bytes: int = Field(
        0, ge=0, description="memory for attention; 0 takes what all places need at full context"
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="of the native engine; auto is CUDA where there is one and Triton is installed"
    )
    arithmetic: Literal["auto", "deterministic", "fast"] = Field(
        "auto", description="of the native engine; deterministic: the same codes in any company; auto on CUDA is fast"
    )
    kernels: Literal["triton", "torch"] = Field(
        "triton", description="of the native engine on CUDA; torch is slow and only there to find faults"
    )
    address: str = Field(
        "127.0.0.1:50053", description="where gRPC listens: host:port or unix:/path, or several with commas"
    )
    metrics_port: int = Field(9103, ge=0, le=65535, description="Prometheus port")
    threads: int = Field(1, ge=1, description="CPU threads of one step; codes are repeatable for a fixed number")
    max_streams: int = Field(
        8, ge=1, description="places for new streams; fewer are given where this machine is slower"
    )
    reserve_streams: int = Field(2, ge=0, description="places beyond max_streams for running texts and resumed streams")
    context_tokens: int = Field(4096, ge=64, description="longest prompt and speech together; bounds KV memory")
    speculation: Literal["none", "ngram", "eagle3"] = Field(
        "none", description="draft tokens and have the model check several at once; not on the native engine"
    )
    speculative_tokens: int = Field(3, ge=1, le=16, description="tokens drafted a step")
    draft_model: str = Field("", description="folder of an EAGLE-3 draft model")
