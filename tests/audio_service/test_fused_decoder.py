"""Law 1 for the CUDA decoder's kernels, run by Triton's interpreter: slow, exact, and without a GPU."""

import os
import sys

import pytest
import torch

if "triton" not in sys.modules:
    os.environ["TRITON_INTERPRET"] = "1"
pytest.importorskip("triton", reason="Triton is not installed; it comes with PyTorch's CUDA builds")
if os.environ.get("TRITON_INTERPRET") != "1":
    pytest.skip("Triton was imported before its interpreter was asked for", allow_module_level=True)

from triton import next_power_of_2

from audio_service.decoder import Decoder
from audio_service.fused.decoder import FusedDecoder
from audio_service.fused.precision import Precision, prepared
from audio_service.fused.rows import FusedRows
from audio_service.fused.tiles import Product, Tile, standard
from audio_service.stream import Noise, Voicing
from benchmarks.whole import random_codec
from swara.errors import SetupError
from tests.audio_service.codecs import random_codes, whole_decode
from tests.audio_service.test_law_one import Run, finish, same

CPU = torch.device("cpu")
SMALL = {"encoder_dim": 8, "decoder_dim": 64, "codebook_size": 64}


def few_programs(product: Product) -> Tile:
    """Large tiles: the interpreter's time goes with the number of programs."""
    return Tile(512, max(16, next_power_of_2(product.n)), max(16, next_power_of_2(product.k)))


def cut_everywhere(product: Product) -> Tile:
    """Several tiles along every side of every product."""
    whole = product.whole or product.kind == "ending"
    columns = max(16, next_power_of_2(product.n)) if whole else 16
    return Tile(256, columns, max(16, next_power_of_2(product.k)) if product.kind == "ending" else 16)


@pytest.mark.parametrize("precision", [Precision.FP16X3, Precision.TF32X3])
def test_any_chunking_equals_the_whole_decode(precision: Precision) -> None:
    codec = random_codec(**SMALL)
    decoder = FusedDecoder(codec, CPU, precision, few_programs)
    rows, codes, voicing = FusedRows(decoder, 1, 8), random_codes(5, codec.codebook_size), Voicing(7)
    run = Run(decoder, rows, 0, voicing, codes, 0)
    finish(rows, run, [1, 2, 1, 4])
    same(run, whole_decode(codec, codes, voicing))


@pytest.mark.parametrize("changes", [{"decoder_dim": 96}, {"noise": False}])
def test_odd_widths_and_no_noise_are_exact_too(changes: dict[str, object]) -> None:
    codec = random_codec(**SMALL | changes)
    decoder = FusedDecoder(codec, CPU, Precision.FP16X3, cut_everywhere)
    rows, codes, voicing = FusedRows(decoder, 1, 4), random_codes(1, codec.codebook_size), Voicing(7)
    run = Run(decoder, rows, 0, voicing, codes, 0)
    finish(rows, run, [2, 2])
    same(run, whole_decode(codec, codes, voicing))


def test_streams_that_join_leave_and_resume_do_not_change_each_other() -> None:
    codec = random_codec(**SMALL)
    decoder = FusedDecoder(codec, CPU, Precision.FP16X3, few_programs)
    rows = FusedRows(decoder, 3, 8)
    codes = [random_codes(frames, codec.codebook_size, frames) for frames in (2, 3, 6)]
    voicings = [Voicing(1), Voicing(2, Noise.OFF), Voicing(3, first_sample=2048 * 5)]
    runs = [
        Run(decoder, rows, row, voicing, codes[row][first:], first)
        for row, (voicing, first) in enumerate(zip(voicings, (0, 0, 2), strict=True))
    ]
    for members in ([0], [0, 1, 2], [0, 1, 2], [1, 2], [1], [2]):
        alive = [runs[member] for member in members if not runs[member].stream.done]
        works = [run.work(2 if run.stream.waiting_frames > 1 else 1) for run in alive]
        for frames in {len(work.taken.codes) for work in works}:
            pairs = [pair for pair in zip(alive, works, strict=True) if len(pair[1].taken.codes) == frames]
            for (run, work), audio in zip(pairs, rows.run([work for _, work in pairs]), strict=True):
                run.give(work, audio)
    for run, own, voicing in zip(runs, codes, voicings, strict=True):
        finish(rows, run, [])
        same(run, whole_decode(codec, own, voicing))


def test_it_answers_as_late_as_the_cpu_decoder() -> None:
    codec = random_codec(**SMALL)
    fused, plain = FusedDecoder(codec, CPU), Decoder(codec, CPU)
    assert fused.reach_samples == plain.reach_samples
    assert fused.warm_up_samples == plain.warm_up_samples
    assert fused.noise_layers == plain.noise_layers


def test_codecs_without_depthwise_convolutions_are_refused() -> None:
    with pytest.raises(SetupError, match="depthwise"):
        FusedDecoder(random_codec(**SMALL | {"depthwise": False}), CPU)


@pytest.mark.parametrize("precision", [Precision.FP16X3, Precision.TF32X3])
def test_a_matrix_in_two_parts_is_nearly_the_matrix(precision: Precision) -> None:
    matrix = torch.randn(64, 64) * 0.03
    parts = prepared(matrix, precision)
    whole = (parts.high.double() + parts.low.double()) * parts.scale
    assert (whole - matrix).abs().max() < 2**-21 * matrix.abs().max()


@pytest.mark.parametrize(("frames", "rows"), [(1, 16), (8, 16), (32, 128), (256, 128)])
def test_layers_that_fill_a_device_get_large_tiles_and_others_small_ones(frames: int, rows: int) -> None:
    assert standard(Product("convolution", 256 * frames, 256, 256)).rows == rows


def test_tiles_are_not_larger_than_the_channels_nor_narrower_where_they_must_hold_all() -> None:
    for m in (16, 65536):
        tile = standard(Product("convolution", m, 24, 40))
        assert tile.columns <= 64
        assert tile.depth == 32
        assert standard(Product("upsampling", m, 96, 48, 2, whole=True)).columns == 64
