"""The character-level tokenizer: one id a Unicode character after NFC, in the files `transformers` reads."""

import json
from pathlib import Path

from tokenizers import Regex, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import NFC
from tokenizers.pre_tokenizers import Split
from tokenizers.processors import TemplateProcessing

from demo_model.blueprint import BOS, CODE_BASE_ID, FIRST_CHARACTER_ID, SPECIAL_TOKENS

ASCII = [chr(code) for code in range(0x20, 0x7F)]
DEVANAGARI = [chr(code) for code in range(0x900, 0x980)]
PUNCTUATION = list("‘’“”–—…₹\u200c\u200d")
CHARACTERS = ASCII + DEVANAGARI + PUNCTUATION


def vocabulary() -> dict[str, int]:
    """Token string → id. Audio codes have no strings: the text tokenizer must never yield one."""
    ids = {token: index for index, token in enumerate(SPECIAL_TOKENS)}
    ids |= {character: FIRST_CHARACTER_ID + index for index, character in enumerate(CHARACTERS)}
    if max(ids.values()) >= CODE_BASE_ID:
        raise ValueError("the characters reach into the audio codes")
    return ids


def build_tokenizer() -> Tokenizer:
    """A tokenizer that normalises to NFC, splits into single characters and puts BOS in front."""
    tokenizer = Tokenizer(WordLevel(vocabulary(), unk_token="<unk>"))
    tokenizer.normalizer = NFC()
    tokenizer.pre_tokenizer = Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.post_processor = TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", BOS)])
    return tokenizer


def save_tokenizer(folder: Path) -> None:
    """Write tokenizer.json and tokenizer_config.json into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    build_tokenizer().save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<bos>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "eos_token": "<end_of_speech>",
        "clean_up_tokenization_spaces": False,
        "model_max_length": 2048,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
