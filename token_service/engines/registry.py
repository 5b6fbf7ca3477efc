"""Which engines there are. Each is a module that is imported only when it is chosen, and has `build`."""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from swara.errors import SetupError
from token_service.engines.base import Engine, EngineSetup
from token_service.engines.speculation import Speculation
from token_service.settings import TokenSettings


@dataclass(frozen=True)
class EngineKind:
    """A module with `build(setup: EngineSetup) -> Engine`, the package it needs, and how to come by that."""

    module: str
    package: str
    remedy: str


# The keys are the values of the setting `engine`.
ENGINES = {
    "native": EngineKind("token_service.engines.native.build", "torch", "pip install '.[token]' in Swara's folder"),
    "tensorrt-llm": EngineKind(
        "token_service.engines.trtllm_engine",
        "tensorrt_llm",
        "run the image nvcr.io/nvidia/tensorrt-llm/release, docs/engines.md says how",
    ),
    "remote": EngineKind(
        "token_service.engines.remote_engine", "smg_grpc_proto", "pip install '.[interop]' in Swara's folder"
    ),
    "vllm": EngineKind("token_service.engines.vllm_engine", "vllm", "pip install '.[vllm]' in Swara's folder"),
}

# Settings that one engine alone knows: with another they would do nothing.
OWNERS = {"device": "native", "arithmetic": "native", "kernels": "native", "remote_address": "remote"}


def build_engine(setup: EngineSetup) -> Engine:
    """The engine that the settings name, not started; raises SetupError where it cannot serve this model here."""
    name = setup.settings.engine
    kind = ENGINES[name]
    _check_own(setup.settings)
    if find_spec(kind.package) is None:
        raise SetupError(f"engine {name} needs the package {kind.package}, which is not installed: {kind.remedy}")
    if Speculation.of(setup.settings) and name == "native":
        raise SetupError("the native engine does not speculate; engines tensorrt-llm and vllm do")
    engine: Engine = import_module(kind.module).build(setup)
    return engine


def _check_own(settings: TokenSettings) -> None:
    for name, owner in OWNERS.items():
        if settings.engine != owner and getattr(settings, name) != TokenSettings.model_fields[name].default:
            raise SetupError(f"setting {name} is engine {owner}'s and means nothing to engine {settings.engine}")
