"""TensorRT-LLM as a token source: its LLM in this process, prompt ids in, tokens out a frame's worth at a time.

Checked against the contract extracted from its source, and run over a stand-in that keeps it; not yet run on a GPU.
"""

import tempfile
from pathlib import Path
from typing import Any

from swara.errors import SetupError
from token_service.checkpoint import check_vocabulary, read_config
from token_service.engines.base import Engine, EngineSetup
from token_service.engines.token_engine import TokenEngine
from token_service.engines.trtllm_directory import EngineDirectory
from token_service.engines.trtllm_folder import prepare
from token_service.engines.trtllm_proof import prove_sampling
from token_service.engines.trtllm_release import Release
from token_service.engines.trtllm_source import TrtllmSource
from token_service.footprint import Footprint


def build(setup: EngineSetup) -> Engine:
    """The engine, not started; raises SetupError where TensorRT-LLM cannot serve this model here."""
    config = read_config(setup.folder)
    release = Release.installed()
    directory = EngineDirectory.of(setup.folder, config)
    if directory:
        directory.check(release, setup)
    vocabulary = Footprint.of(config.get("pretrained_config", config)).vocabulary
    check_vocabulary(setup.profile, vocabulary)
    loader = DirectoryLoader(setup) if directory else CheckpointLoader(setup, release)
    return TokenEngine("tensorrt-llm", ProvenSource(setup, loader, release), setup, vocabulary)


class CheckpointLoader:
    """Loads a Hugging Face checkpoint into the PyTorch backend, with our model class."""

    def __init__(self, setup: EngineSetup, release: Release) -> None:
        self._setup = setup
        self._release = release

    def load(self, scratch: Path) -> Any:
        """A running LLM; raises whatever TensorRT-LLM raises."""
        from token_service.engines.trtllm_arguments import engine_arguments, set_environment

        set_environment()
        from tensorrt_llm import LLM

        import token_service.engines.trtllm_model  # noqa: F401 - registers the class

        folder = prepare(self._setup.folder, self._setup.profile, scratch)
        return LLM(**engine_arguments(self._setup, folder, self._release))


class DirectoryLoader:
    """Loads an engine directory that was built before; the slot mask is a batched logits processor."""

    def __init__(self, setup: EngineSetup) -> None:
        self._setup = setup

    def load(self, scratch: Path) -> Any:
        """A running LLM; raises whatever TensorRT-LLM raises."""
        from token_service.engines.trtllm_arguments import kv_cache, set_environment

        set_environment()
        from tensorrt_llm._tensorrt_engine import LLM

        from token_service.engines.trtllm_processor import SlotMaskProcessor

        return LLM(
            model=str(self._setup.folder),
            skip_tokenizer_init=True,
            kv_cache_config=kv_cache(self._setup),
            batched_logits_processor=SlotMaskProcessor(self._setup.profile),
        )


class ProvenSource(TrtllmSource):
    """A source that has shown, when it starts, that its release does with a request what is asked."""

    def __init__(self, setup: EngineSetup, loader: CheckpointLoader | DirectoryLoader, release: Release) -> None:
        super().__init__(setup.profile.end_of_speech_id, masks_by_processor=isinstance(loader, DirectoryLoader))
        self._setup = setup
        self._loader = loader
        self._release = release
        self._scratch = tempfile.TemporaryDirectory(prefix="swara-trtllm-")

    async def start(self) -> None:
        """Loads the model and captures graphs; raises SetupError."""
        try:
            self.serve(self._loader.load(Path(self._scratch.name)))
        except SetupError:
            raise
        except Exception as error:  # whatever its loaders, kernels and validators raise; the log has more
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise SetupError(f"TensorRT-LLM could not load {self._setup.folder}: {reason}") from error
        await prove_sampling(self, self._setup.profile, f"TensorRT-LLM {self._release.name}")

    async def stop(self) -> None:
        """Ends every generation and frees the model."""
        await super().stop()
        self._scratch.cleanup()
