"""The fused snake's kernels in Triton's interpreter: the package's own function and gradients."""

import os
import sys

import pytest
import torch
from snac.layers import Snake1d

if "triton" not in sys.modules:
    os.environ["TRITON_INTERPRET"] = "1"
pytest.importorskip("triton", reason="Triton is not installed; it comes with PyTorch's CUDA builds")
if os.environ.get("TRITON_INTERPRET") != "1":
    pytest.skip("Triton was imported before its interpreter was asked for", allow_module_level=True)

from demo_model import fused_snake
from demo_model.fused_snake import FusedSnake1d, fuse_snakes


@pytest.mark.parametrize("length", [1, 50, 64, 200])
def test_the_fused_snake_is_the_packages_own(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    monkeypatch.setattr(fused_snake, "MAX_BLOCK", 64)
    alpha = torch.linspace(0.3, 3.0, 8).view(1, 8, 1)
    package, ours = Snake1d(8), torch.nn.Sequential(Snake1d(8))
    fuse_snakes(ours)
    assert type(ours[0]) is FusedSnake1d
    found = []
    for snake in (package, ours[0]):
        snake.alpha.data.copy_(alpha)
        x = torch.randn(3, 8, length, generator=torch.Generator().manual_seed(0)).requires_grad_()
        y = snake(x)
        y.square().sum().backward()
        found.append((y, x.grad, snake.alpha.grad))
    torch.testing.assert_close(found[1], found[0])


def test_a_cut_of_a_longer_tensor_is_read_where_it_lies() -> None:
    snake = torch.nn.Sequential(Snake1d(4))
    fuse_snakes(snake)
    x = torch.randn(2, 4, 90, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(snake(x[..., 10:60]), snake(x[..., 10:60].clone()))
