"""Text to prompt: the ids that go into the model before the first code."""

import unicodedata
from pathlib import Path

from tokenizers import Tokenizer

from swara.errors import InvalidRequest, SetupError
from swara.profile import Profile
from token_service.grammar import SlotGrammar


class Prompter:
    """Builds prompts by a profile: prefix ids, the tokenized "voice: text", suffix ids."""

    def __init__(self, profile: Profile, tokenizer: Tokenizer) -> None:
        self._profile = profile
        self._tokenizer = tokenizer
        grammar = SlotGrammar(profile)
        controls = {*profile.prompt_prefix_ids, *profile.prompt_suffix_ids}
        self._is_control = lambda token_id: token_id in controls or grammar.is_control(token_id)
        self._check_bos()

    def prompt_ids(self, text: str, voice: str) -> tuple[int, ...]:
        """The prompt for this text; raises InvalidRequest for text that spells the model's control tokens."""
        spoken = self._profile.prompt_template.format(voice=voice, text=self._closed(text))
        ids = self._encode(spoken)
        body = ids[1:] if self._profile.add_bos else ids
        if any(self._is_control(token_id) for token_id in body):
            raise InvalidRequest("the text spells a control token of the model; take it out")
        return (*self._profile.prompt_prefix_ids, *ids, *self._profile.prompt_suffix_ids)

    def _closed(self, text: str) -> str:
        text = text.strip()
        return text if unicodedata.category(text[-1])[0] in "PS" else text + self._profile.closing_mark

    def _encode(self, spoken: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(spoken, add_special_tokens=self._profile.add_bos).ids
        return ids

    def _check_bos(self) -> None:
        plain = self._tokenizer.encode("a", add_special_tokens=False).ids
        with_bos = self._encode("a")
        if self._profile.add_bos and (len(with_bos) != len(plain) + 1 or with_bos[1:] != plain):
            raise SetupError("the profile wants BOS in front of the text, but the tokenizer adds none")


def load_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer.json of a model folder; raises SetupError with a sentence."""
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise SetupError(f"{folder} has no tokenizer.json")
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the tokenizers library raises bare Exception for a malformed file
        raise SetupError(f"{path} is not a tokenizer: {error}") from None
