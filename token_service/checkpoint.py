"""A model folder's config.json, and whether the profile's ids exist in the checkpoint; every engine asks both first."""

import json
from pathlib import Path
from typing import Any

from swara.errors import SetupError
from swara.profile import Profile


def read_config(folder: Path) -> dict[str, Any]:
    """The config.json of a model folder; raises SetupError with a sentence."""
    path = folder / "config.json"
    if not path.is_file():
        raise SetupError(f"{folder} is not a model folder: it has no config.json")
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise SetupError(f"{path} is not JSON: {error}") from None
    return config


def check_vocabulary(profile: Profile, vocabulary: int) -> None:
    """Raises SetupError where the profile speaks of token ids that a vocabulary of this size does not have."""
    if profile.top_id >= vocabulary:
        raise SetupError(
            f"profile {profile.name} uses token id {profile.top_id}, but the checkpoint's vocabulary ends at "
            f"{vocabulary - 1}"
        )
