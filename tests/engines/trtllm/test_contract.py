"""What Swara uses of TensorRT-LLM is what its source declares; inside NVIDIA's image, what the package declares."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CONTRACTS = sorted((HERE / "contracts").glob("*.json"))


def record(release: str, tree: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, HERE / "record_contract.py", "--release", release, "--tree", tree]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.stem)
def test_every_source_of_a_contract_has_a_file_and_a_commit(path: Path) -> None:
    contract = json.loads(path.read_text(encoding="utf-8"))
    for source in contract["sources"]:
        assert source["file"].startswith("tensorrt_llm/")
        assert len(source.get("commit", "")) == 40 or source["blob"]


def test_a_package_without_a_name_that_is_used_ends_the_recording_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "llmapi").mkdir()
    (tmp_path / "llmapi" / "llm_args.py").write_text("class BaseLlmArgs:\n    model: str\nclass TorchLlmArgs: pass\n")
    ended = record("1.3.0rc29", tmp_path)
    assert ended.returncode == 1
    assert "TorchLlmArgs has no cuda_graph_config" in ended.stderr


@pytest.mark.skipif(find_spec("tensorrt_llm") is None, reason="tensorrt_llm is not installed")
def test_the_installed_package_declares_every_name_that_is_used(tmp_path: Path) -> None:
    package = find_spec("tensorrt_llm")
    assert package
    assert package.origin
    import tensorrt_llm

    release = "1.2.1" if tensorrt_llm.__version__.startswith("1.2.") else "1.3.0rc29"
    assert record(release, Path(package.origin).parent).returncode == 0
