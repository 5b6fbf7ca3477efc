"""The model folder as TensorRT-LLM is given it: the checkpoint's own files, and a config.json that names our class.

Its argument for changing a config ignores keys it does not know, so the grammar has to be in the file.
"""

import json
from pathlib import Path

from swara.profile import Profile
from token_service.checkpoint import read_config
from token_service.engines.vllm_plugin import ARCHITECTURE, grammar_overrides

__all__ = ["ARCHITECTURE", "prepare"]
# Rewritten here, or of no use here: its end ids would be added to ours.
LEFT_OUT = ("config.json", "generation_config.json")


def prepare(folder: Path, profile: Profile, into: Path) -> Path:
    """Links every file of a checkpoint into an empty folder, with the config rewritten; returns that folder."""
    for path in folder.iterdir():
        if path.is_file() and path.name not in LEFT_OUT:
            (into / path.name).symlink_to(path.resolve())
    config = read_config(folder) | grammar_overrides(profile)
    (into / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    return into
