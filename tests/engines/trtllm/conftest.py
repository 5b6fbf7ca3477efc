"""The stand-in for TensorRT-LLM: on the path of the processes that are started with it, never of this one for long."""

import os
from pathlib import Path

import pytest

STANDIN = Path(__file__).parent / "standin"


def environment(release: str) -> dict[str, str]:
    """What a process needs to find the stand-in of a release."""
    return {"PYTHONPATH": os.pathsep.join([str(STANDIN), "."]), "STANDIN_RELEASE": release, "OMP_NUM_THREADS": "1"}


@pytest.fixture
def engine_directory(tmp_path: Path) -> Path:
    """The demo model as an engine directory that 1.2.1 has built; the stand-in runs the checkpoint instead."""
    from tests.engines.trtllm.directories import engine_directory as make

    return make(tmp_path / "engine", "1.2.1")
