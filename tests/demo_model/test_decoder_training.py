"""The decoder's training: what it leaves alone, that it learns, that it goes on where it stopped, what it exports."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from audio_service.codec import load_codec as load_for_service
from benchmarks.whole import REAL_SHAPE
from demo_model import checkpoint
from demo_model.aligned import Aligned, align
from demo_model.codec import build_codec
from demo_model.codec_game import CodecGame
from demo_model.decoder_training import DecoderTraining, Plan, unfused
from demo_model.game import ADVERSARIAL_WEIGHT, FEATURE_WEIGHT, MEL_WEIGHT, Game, Shape, halves
from demo_model.losses import adversarial_loss, discriminator_loss, feature_loss
from demo_model.recordings import Recording
from tests.audio_service.codecs import DEMO_CODEC

SMALL = REAL_SHAPE | {"encoder_dim": 4, "decoder_dim": 32, "codebook_size": 1_024}
STEPS = 2
CPU = torch.device("cpu")


def recording() -> tuple[np.ndarray, list[Recording]]:
    """Two seconds of three falling tones."""
    seconds = np.arange(48_000) / 24_000
    wave = sum(np.sin(2 * np.pi * (pitch * seconds - 20 * seconds**2)) for pitch in (150, 450, 1_800)) / 4
    return (wave * 32_767).astype(np.int16), [Recording("tones", "asha", "template", "तीन स्वर।", 0, len(wave))]


@pytest.fixture(scope="module")
def data() -> Aligned:
    torch.manual_seed(0)
    return align(build_codec(SMALL).eval(), *recording(), 2, CPU)


def training(data: Aligned, kind: type[Game] = Game) -> DecoderTraining:
    torch.manual_seed(0)
    game = kind(build_codec(SMALL), Shape(crops=1, frames=2, context=1), learning_rate=1e-3)
    return DecoderTraining(game, data, data, Plan(seconds=0.0, warmup_steps=1, check_crops=1, check_frames=4))


def steps(run: DecoderTraining, count: int) -> Tensor:
    """The losses [count, 4] of so many steps."""
    losses = []
    for _ in range(count):
        run.game.set_rate(run.plan.rate(run.step, 0.0))
        losses.append(run.game.turn(run.data))
        run.step += 1
    return torch.stack(losses)


def test_every_code_lies_beside_the_audio_it_was_made_of(data: Aligned) -> None:
    assert data.audio.shape[0] == data.frames.shape[0] * 2_048
    wave, _ = recording()
    torch.testing.assert_close(data.audio[: len(wave)], torch.from_numpy(wave), atol=1, rtol=0)


def test_the_encoder_and_the_codebooks_stay_bit_for_bit(data: Aligned) -> None:
    run = training(data)
    before = {name: tensor.clone() for name, tensor in run.game.codec.state_dict().items()}
    steps(run, 1)
    after = run.game.codec.state_dict()
    moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"decoder"}


def test_the_whole_codecs_game_moves_every_part_and_remembers_it(data: Aligned, tmp_path: Path) -> None:
    run = training(data, CodecGame)
    before = {name: tensor.clone() for name, tensor in run.game.codec.state_dict().items()}
    steps(run, 1)
    after = run.game.codec.state_dict()
    assert {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])} == {
        "encoder",
        "quantizer",
        "decoder",
    }
    checkpoint.save(run.state(), tmp_path)
    resumed = training(data, CodecGame)
    resumed.restore(checkpoint.load(tmp_path, CPU))
    assert all(torch.equal(tensor, after[name]) for name, tensor in resumed.game.codec.state_dict().items())
    assert all(torch.equal(a, b) for a, b in zip(resumed.game.average, run.game.average, strict=True))
    assert 0 < resumed.distance() < 100


def test_the_mel_distance_falls_on_what_is_trained_on(data: Aligned) -> None:
    mel = steps(training(data), 12)[:, 1]
    assert mel[-3:].mean() < 0.9 * mel[0]


def test_a_resumed_run_is_the_run_that_was_not_stopped(data: Aligned, tmp_path: Path) -> None:
    whole = training(data)
    steps(whole, STEPS)
    checkpoint.save(whole.state(), tmp_path)
    wanted = steps(whole, STEPS)
    resumed = training(data)
    resumed.restore(checkpoint.load(tmp_path, CPU))
    assert torch.equal(steps(resumed, STEPS), wanted)
    assert all(torch.equal(a, b) for a, b in zip(resumed.game.average, whole.game.average, strict=True))


def test_a_run_that_meets_anothers_discriminators_keeps_its_own_decoder(data: Aligned) -> None:
    other, run = training(data, CodecGame), training(data)
    steps(other, 1)
    before = {name: tensor.clone() for name, tensor in run.game.codec.state_dict().items()}
    run.meet(other.state())
    met, theirs = (one.game.discriminators.state_dict() for one in (run, other))
    assert all(torch.equal(met[name], theirs[name]) for name in theirs)
    assert all(torch.equal(tensor, before[name]) for name, tensor in run.game.codec.state_dict().items())
    assert torch.isfinite(steps(run, 1)).all()


def test_a_broken_piece_of_a_checkpoint_is_named(tmp_path: Path) -> None:
    checkpoint.save({"values": torch.arange(5_000_000)}, tmp_path)
    piece = tmp_path / "piece-01"
    piece.write_bytes(piece.read_bytes()[:-1] + b"?")
    with pytest.raises(ValueError, match="piece-01 is not the piece"):
        checkpoint.load(tmp_path, CPU)


def test_the_rate_climbs_holds_and_lands(data: Aligned) -> None:
    plan = Plan(seconds=100, landing_seconds=20, learning_rate=1.0, warmup_steps=10)
    assert [plan.rate(0, 100), plan.rate(9, 90), plan.rate(500, 21), plan.rate(600, 5)] == [0.1, 1.0, 1.0, 0.25]


def test_the_audio_service_loads_what_is_exported(data: Aligned, tmp_path: Path) -> None:
    from demo_model.synthesis import load_codec

    torch.manual_seed(0)
    codec = load_codec(DEMO_CODEC, CPU)
    game = Game(codec, Shape(crops=1, frames=1), learning_rate=1e-4)
    run = DecoderTraining(game, data, data, Plan(seconds=0.0, check_crops=1, check_frames=4))
    run.run(tmp_path / "codec", tmp_path / "state")
    served = load_for_service(str(tmp_path / "codec")).modules.state_dict()
    shipped = load_for_service(str(DEMO_CODEC)).modules.state_dict()
    frozen = [name for name in shipped if not name.startswith("decoder.")]
    assert all(torch.equal(served[name], shipped[name]) for name in frozen)


def test_a_run_told_to_end_stops_after_its_step_and_keeps_everything(data: Aligned, tmp_path: Path) -> None:
    run = training(data)
    run.plan = Plan(seconds=3600.0, check_crops=1, check_frames=4)
    turn = run.game.turn

    def last_turn(of: Aligned) -> Tensor:
        run.end()
        return turn(of)

    run.game.turn = last_turn  # type: ignore[method-assign]
    figures = run.run(tmp_path / "codec", tmp_path / "state")
    assert figures["step"] == 1
    assert checkpoint.load(tmp_path / "state", CPU)["step"] == 1
    assert (tmp_path / "codec" / "model.safetensors").exists()


def test_a_batch_judged_at_once_is_two_batches_judged_apart(data: Aligned) -> None:
    game = training(data).game
    first, second = torch.randn(2, 1, 4_096, generator=torch.Generator().manual_seed(0))
    together = halves(game.judge(torch.cat([first, second])))
    for found, wanted in zip(together, (game.judge(first), game.judge(second)), strict=True):
        for one, other in zip(found, wanted, strict=True):
            torch.testing.assert_close(one, other)


def test_judging_the_true_audio_once_teaches_both_sides_as_judging_it_twice(data: Aligned) -> None:
    game = training(data).game
    audio, made = torch.randn(2, 1, 4_096, generator=torch.Generator().manual_seed(0)) / 10
    verdict = discriminator_loss(game.judge(audio), game.judge(made))
    wanted = torch.autograd.grad(verdict, list(game.discriminators.parameters()))
    offered = made.clone().requires_grad_()
    features = game.judge(offered)
    pull = (
        MEL_WEIGHT * game.mel(offered, audio)
        + ADVERSARIAL_WEIGHT * adversarial_loss(features)
        + FEATURE_WEIGHT * feature_loss(game.judge(audio), features)
    )
    game.compare(audio, made.requires_grad_())
    torch.testing.assert_close(made.grad, torch.autograd.grad(pull, offered)[0])
    for parameter, gradient in zip(game.discriminators.parameters(), wanted, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


def test_features_are_compared_by_the_size_of_the_true_ones_and_only_the_made_are_pulled() -> None:
    generator = torch.Generator().manual_seed(0)
    shapes, verdict = ((2, 3, 4), (5, 6)), torch.zeros(1)
    true, made = ([torch.randn(shape, generator=generator).requires_grad_() for shape in shapes] for _ in range(2))
    wanted = torch.stack([(t - m).abs().mean() / t.abs().mean() for t, m in zip(true, made, strict=True)]).mean()
    found = feature_loss([[*true, verdict]], [[*made, verdict]])
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(torch.autograd.grad(found, made, retain_graph=True), torch.autograd.grad(wanted, made))
    assert torch.autograd.grad(found, true, allow_unused=True) == (None, None)


def test_no_compiler_of_torchscript_runs_while_it_trains() -> None:
    fusers = (torch._C._jit_can_fuse_on_cpu, torch._C._jit_can_fuse_on_gpu, torch._C._jit_texpr_fuser_enabled)
    assert any(enabled() for enabled in fusers)
    with unfused():
        assert not any(enabled() for enabled in fusers)
