"""What `swara-engine inspect` says of a folder, and the arithmetic behind it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from token_service.footprint import Footprint
from token_service.prepare.gpus import GPUS, fit

DEMO = Path("demo_model/weights/language_model")
ORPHEUS = Footprint(28, 3072, 24, 8, 128, 8192, 156_940, tied=True)
H100, L4 = next(gpu for gpu in GPUS if "H100" in gpu.name), next(gpu for gpu in GPUS if "L4" in gpu.name)


def swara_engine(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "token_service.prepare", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_shape_of_orpheus_takes_the_bytes_that_are_known_of_it() -> None:
    assert ORPHEUS.kv_token_bytes("bf16") == 114_688
    assert ORPHEUS.layer_values == pytest.approx(2.819e9, rel=1e-3)
    assert ORPHEUS.weight_bytes("bf16") == pytest.approx(6.60e9, rel=1e-3)
    assert ORPHEUS.weight_bytes("fp8") == pytest.approx(3.78e9, rel=1e-2)


def test_the_bandwidth_of_an_h100_bounds_orpheus_at_324_streams() -> None:
    assert fit(H100, ORPHEUS, "bf16", "bf16", 4096).by_bandwidth == 324
    assert fit(H100, ORPHEUS, "fp8", "fp8", 4096).by_bandwidth > 700


def test_an_l4_holds_orpheus_with_its_codec_and_is_too_slow_for_it_before_four_bits() -> None:
    whole, halved, quarter = (fit(L4, ORPHEUS, precision, "fp8", 4096) for precision in ("bf16", "fp8", "int4"))
    assert min(whole.by_memory, halved.by_memory) > 0
    assert (whole.streams, halved.streams) == (0, 0)
    assert halved.tokens_a_second == pytest.approx(63, abs=2)
    assert quarter.streams > 5


def test_a_checkpoint_is_described_from_its_headers_and_the_last_line_is_json() -> None:
    said = swara_engine("inspect", DEMO)
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout.splitlines()[-1])
    assert found["profile"] == "swara-demo-hi"
    assert found["precision"] == "fp16"
    size = (DEMO / "model.safetensors").stat().st_size
    assert 0 < size - found["weights_on_disk_bytes"] < 20_000, "all but the header"
    assert "Assumed" in said.stdout


def test_an_engine_directory_is_described_from_its_config(tmp_path: Path) -> None:
    from tests.engines.trtllm.directories import engine_directory

    found = json.loads(swara_engine("inspect", engine_directory(tmp_path / "e", "1.2.1")).stdout.splitlines()[-1])
    assert (found["kind"], found["release"], found["tensor_parallel"]) == ("TensorRT engine directory", "1.2.1", 1)


def test_what_is_no_model_folder_gets_a_sentence_and_exit_code_2(tmp_path: Path) -> None:
    def sentence(folder: Path) -> str:
        ended = swara_engine("inspect", folder)
        assert ended.returncode == 2
        assert len(ended.stderr.splitlines()) == 1
        return ended.stderr

    assert "has no config.json" in sentence(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    assert "'gpt2' checkpoint" in sentence(tmp_path)
    shutil.copy(DEMO / "config.json", tmp_path / "config.json")
    assert "uses token id" in sentence(tmp_path), "the built-in profile is not the demo model's"
    shutil.copy(DEMO / "profile.json", tmp_path / "profile.json")
    (tmp_path / "model.safetensors").write_bytes(b"\x10\x00")
    assert "cut short" in sentence(tmp_path)


def test_building_without_tensorrt_llm_says_where_to_run_it(tmp_path: Path) -> None:
    ended = swara_engine("build", "--checkpoint", DEMO, "--out", tmp_path / "engine")
    assert ended.returncode == 2
    assert "nvcr.io/nvidia/tensorrt-llm/release:1.2.1" in ended.stderr
