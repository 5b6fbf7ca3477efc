"""How the settings make a native engine."""

import torch

from token_service.checkpoint import check_vocabulary, read_config
from token_service.engines.base import Engine, EngineSetup
from token_service.engines.native.engine import NativeEngine
from token_service.engines.native.weights import LlamaShape


def build(setup: EngineSetup) -> Engine:
    """The engine for this machine, not started; raises SetupError for a checkpoint that it cannot run."""
    settings = setup.settings
    check_vocabulary(setup.profile, LlamaShape.of(read_config(setup.folder)).vocabulary)
    torch.set_num_threads(settings.threads)
    return NativeEngine(
        setup.folder, setup.profile, settings.max_streams, settings.reserve_streams, settings.context_tokens
    )
