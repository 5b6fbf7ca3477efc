"""A checkpoint with Orpheus' ids and no profile.json is served by the built-in profile."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import LlamaConfig, LlamaForCausalLM

from swara.profile import Profile, load_profile
from swara.speech import Sampling
from token_service.engines.base import Ended
from token_service.engines.limits import Limits
from token_service.engines.native.engine import NativeEngine
from token_service.engines.native.tile_model import TileModel
from token_service.framer import frame_ids
from token_service.grammar import SlotGrammar
from token_service.plan import Plan, Planner, SegmentRequest
from token_service.prompt import Prompter, load_tokenizer

VOCABULARY = 156_940
BOS = 128_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Orpheus' vocabulary and special ids on a Llama of one small layer with random weights."""
    path = tmp_path_factory.mktemp("orpheus")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=64,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=1,
        head_dim=64,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).save_pretrained(path)
    words = {"<unk>": 0, "tara": 1, ":": 2, "hello": 3, "a": 4, "<|begin_of_text|>": BOS}
    tokenizer = Tokenizer(WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", BOS)]
    )
    tokenizer.save(str(path / "tokenizer.json"))
    return path


@pytest.fixture(scope="module")
def profile(folder: Path) -> Profile:
    return load_profile(folder)


def plan(folder: Path, profile: Profile, frames: int) -> Plan:
    planner = Planner(profile, Prompter(profile, load_tokenizer(folder)), profile.max_context_tokens)
    return planner.plan(SegmentRequest("r", "hello", "tara", Sampling(), 7, max_frames=frames, ignore_end=True))


def test_the_prompt_has_orpheus_form(folder: Path, profile: Profile) -> None:
    ids = plan(folder, profile, 3).generation.prompt_ids
    assert ids == (128259, BOS, 1, 2, 3, 128009, 128260, 128261, 128257)


def test_codes_of_4096_come_out_and_their_ids_are_in_their_slots(folder: Path, profile: Profile) -> None:
    async def story() -> None:
        opened = partial(TileModel.load, folder, profile, 1, 256)
        engine = NativeEngine(opened, profile, max_streams=1, limits=Limits(VOCABULARY, 256), deterministic=True)
        await engine.start()
        async with engine.open(plan(folder, profile, 6).generation) as events:
            frames = [event async for event in events if not isinstance(event, Ended)]
        await engine.stop()
        codes = torch.cat([torch.tensor(frame.astype("int64")) for frame in frames])
        assert codes.shape == (6, 7)
        assert int(codes.max()) > 1024, "random weights use the whole codebook"
        for place, token_id in enumerate(frame_ids(SlotGrammar(profile), codes.numpy().astype("uint16"))):
            assert (token_id - 128266) // 4096 == place % 7

    asyncio.run(story())
