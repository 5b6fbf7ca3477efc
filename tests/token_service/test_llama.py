"""The native engine's Llama: equal to the reference, and to itself in any company."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

from swara.errors import SetupError
from swara.profile import Profile, load_profile
from token_service.engines.native.cache import KvCache
from token_service.engines.native.llama import TILE, Llama, Row
from token_service.engines.native.weights import load_weights

DEMO = Path("demo_model/weights/language_model")
LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 500_000.0,
    "factor": 32.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)


@pytest.fixture
def profile() -> Profile:
    return load_profile(DEMO)


def checkpoint(folder: Path, profile: Profile, **changes: object) -> LlamaForCausalLM:
    """A small random checkpoint in Hugging Face's own layout, and the model it came from."""
    torch.manual_seed(5)
    values = {"hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
    config = LlamaConfig(
        **values,
        head_dim=64,
        intermediate_size=192,
        vocab_size=profile.top_id + 1,
        max_position_embeddings=512,
        initializer_range=0.2,
        **changes,
    )
    model = LlamaForCausalLM(config).eval()
    for name, tensor in model.named_parameters():
        if "norm" in name:
            tensor.uniform_(0.5, 1.5)
    model.save_pretrained(folder)
    return model


def run_alone(llama: Llama, ids: list[int], slots: int = 1, slot: int = 0) -> torch.Tensor:
    """Final states [N, hidden] of a sequence fed one token at a time."""
    cache = KvCache(llama.shape, slots, 512)
    return torch.stack([llama.forward([Row(t, p, slot)], cache)[0] for p, t in enumerate(ids)])


@pytest.mark.parametrize(
    "changes",
    [{"tie_word_embeddings": True}, {"tie_word_embeddings": False}, {"rope_parameters": LLAMA3_ROPE}],
    ids=["tied", "untied", "llama3-rope"],
)
def test_logits_equal_those_of_transformers(tmp_path: Path, profile: Profile, changes: dict[str, object]) -> None:
    model = checkpoint(tmp_path, profile, **changes)
    ids = torch.randint(0, profile.top_id, (100,)).tolist()
    reference = model(torch.tensor([ids])).logits[0]
    llama = Llama(load_weights(tmp_path, profile), 512)
    states = run_alone(llama, ids)
    for slot in range(profile.slots):
        ours = torch.cat([llama.logits(states[k : k + TILE], slot) for k in range(0, 100, TILE)])
        first = profile.code_base_id + slot * profile.codebook_size
        columns = [*range(first, first + profile.codebook_size), profile.end_of_speech_id]
        torch.testing.assert_close(ours, reference[:, columns], atol=2e-4, rtol=1e-4)


def test_a_row_has_the_same_bits_alone_beside_others_and_in_a_prompt(tmp_path: Path, profile: Profile) -> None:
    checkpoint(tmp_path, profile)
    llama = Llama(load_weights(tmp_path, profile), 512)
    generator = torch.Generator().manual_seed(1)
    sequences = [torch.randint(0, profile.top_id, (90,), generator=generator).tolist() for _ in range(TILE)]
    alone = [run_alone(llama, ids, slots=3, slot=k % 3) for k, ids in enumerate(sequences)]
    together = KvCache(llama.shape, TILE, 512)
    prompt = KvCache(llama.shape, 1, 512)
    for position in range(90):
        order = sorted(range(TILE), key=lambda k, position=position: (k * 7 + position) % TILE)
        rows = [Row(sequences[k][position], position, k) for k in order]
        states = llama.forward(rows, together)
        for r, k in enumerate(order):
            assert torch.equal(states[r], alone[k][position]), f"beside others, position {position}"
    for start in range(0, 90, TILE):
        rows = [Row(sequences[0][p], p, 0) for p in range(start, min(90, start + TILE))]
        states = llama.forward(rows, prompt)
        assert torch.equal(states[: len(rows)], alone[0][start : start + TILE]), f"in a prompt from {start}"


def test_a_checkpoint_whose_vocabulary_is_too_small_is_refused(tmp_path: Path, profile: Profile) -> None:
    checkpoint(tmp_path, profile)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"vocab_size": 300}))
    with pytest.raises(SetupError, match=r"uses token id \d+, but the checkpoint's vocabulary ends at 299"):
        load_weights(tmp_path, profile)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda folder: (folder / "config.json").unlink(), "not a model folder"),
        (lambda folder: (folder / "config.json").write_text("{"), "is not JSON"),
        (lambda folder: (folder / "config.json").write_text('{"model_type": "gpt2"}'), "runs Llama checkpoints"),
        (lambda folder: (folder / "model.safetensors").unlink(), "no safetensors file"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"x" * 64), "cannot be read"),
        (lambda folder: save_file({"a": torch.ones(1)}, folder / "model.safetensors"), "no tensor"),
        (
            lambda folder: save_file({"model.embed_tokens.weight": torch.ones(3, 128)}, folder / "model.safetensors"),
            r"the embedding is \(3, 128\), config.json says",
        ),
    ],
)
def test_a_wrong_folder_is_refused_with_a_sentence(tmp_path: Path, profile: Profile, spoil, sentence: str) -> None:
    checkpoint(tmp_path, profile)
    spoil(tmp_path)
    with pytest.raises(SetupError, match=sentence):
        load_weights(tmp_path, profile)
