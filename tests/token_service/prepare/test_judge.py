"""The quality gate on the demo model: an int8 copy of its weights passes, a ruined one is refused."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from torch import Tensor

DEMO = Path("demo_model/weights/language_model")
pytestmark = [pytest.mark.standin, pytest.mark.timeout(600)]
GATE = ["--calibrate=hi", "--prompts=3"]


def copied(folder: Path, change: Callable[[Tensor], Tensor]) -> Path:
    """The demo model with its layers' matrices changed."""
    shutil.copytree(DEMO, folder)
    tensors = load_file(folder / "model.safetensors")
    changed = {
        name: change(value) if value.ndim == 2 and ".layers." in name else value for name, value in tensors.items()
    }
    save_file({name: value.contiguous() for name, value in changed.items()}, folder / "model.safetensors")
    return folder


def as_int8(weights: Tensor) -> Tensor:
    """Rounded to 8 bits with one scale a row, and widened again."""
    scale = weights.float().abs().amax(1, keepdim=True) / 127
    return ((weights.float() / scale).round() * scale).to(weights.dtype)


def ruined(weights: Tensor) -> Tensor:
    """Rounded to 2 bits."""
    scale = weights.float().abs().amax(1, keepdim=True)
    return ((weights.float() / scale).round() * scale).to(weights.dtype)


def command(*arguments: object) -> tuple[int, dict[str, object], str]:
    ended = subprocess.run(
        [sys.executable, "-m", "token_service.prepare", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        # So small a model is slower on several threads, above all where others run tests too.
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    last = ended.stdout.splitlines()[-1] if ended.stdout else "{}"
    return ended.returncode, json.loads(last), ended.stderr


def test_an_int8_copy_passes(tmp_path: Path) -> None:
    code, verdict, _ = command("gate", "--checkpoint", DEMO, "--candidate", copied(tmp_path / "m", as_int8), *GATE)
    assert (code, verdict["passed"], verdict["runaways"]) == (0, True, 0)
    assert 0.85 < verdict["agreement"] < 1.0


def test_a_ruined_copy_is_refused_with_reasons(tmp_path: Path) -> None:
    code, verdict, _ = command("gate", "--checkpoint", DEMO, "--candidate", copied(tmp_path / "m", ruined), *GATE)
    assert (code, verdict["passed"]) == (1, False)
    assert any("codes agree" in reason for reason in verdict["reasons"])


def test_calibration_prompts_hold_text_and_the_models_own_speech(tmp_path: Path) -> None:
    out = tmp_path / "calibration.jsonl"
    code, made, _ = command("calibrate", "--checkpoint", DEMO, "--out", out, "--calibrate=hi", "--prompts=2")
    lists = [json.loads(line) for line in out.read_text().splitlines()]
    assert (code, made["prompts"], len(lists)) == (0, 2, 2)
    for ids in lists:
        assert ids[0] == 3, "the prompt's first id"
        assert ids[-1] == 8, "END_OF_SPEECH"
        assert sum(256 <= token_id < 256 + 7 * 1024 for token_id in ids) % 7 == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--calibrate=fr"], "no built-in texts for language 'fr'"),
        (["--calibrate=en"], "has no voice for 'en'; it has hi"),
    ],
)
def test_a_language_that_is_not_there_gets_a_sentence(arguments: list[str], sentence: str) -> None:
    code, _, said = command("gate", "--checkpoint", DEMO, "--candidate", DEMO, *arguments)
    assert code == 2
    assert sentence in said


def test_quantizing_makes_a_copy_that_passes(tmp_path: Path) -> None:
    pytest.importorskip("modelopt", reason="nvidia-modelopt is not installed")
    out = tmp_path / "int8"
    code, made, said = command("quantize", "--checkpoint", DEMO, "--precision=int8", "--out", out, *GATE)
    assert (code, made["passed"]) == (0, True), said
    assert json.loads((out / "hf_quant_config.json").read_text())["quantization"]["quant_algo"]
