"""Speculative decoding as the settings ask for it, checked before an engine sees it. Off unless asked for."""

from dataclasses import dataclass
from pathlib import Path

from swara.errors import SetupError
from token_service.settings import TokenSettings


@dataclass(frozen=True)
class Speculation:
    """`tokens` drafted a step: from what the stream has said before (ngram), or by the draft model (eagle3)."""

    method: str
    tokens: int
    draft_folder: Path | None

    @classmethod
    def of(cls, settings: TokenSettings) -> "Speculation | None":
        """What is asked for; raises SetupError for settings that contradict each other."""
        if settings.speculation == "none":
            if settings.draft_model:
                raise SetupError("draft_model is of use with speculation=eagle3 only")
            return None
        if settings.speculation == "ngram":
            if settings.draft_model:
                raise SetupError("speculation=ngram drafts from the stream itself and takes no draft_model")
            return cls("ngram", settings.speculative_tokens, None)
        folder = Path(settings.draft_model).expanduser()
        if not settings.draft_model or not (folder / "config.json").is_file():
            raise SetupError(f"speculation=eagle3 needs draft_model, a folder with a config.json; got {str(folder)!r}")
        return cls("eagle3", settings.speculative_tokens, folder)
