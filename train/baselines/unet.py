"""A U-Net with dropout and code, and the patch discriminator, as pix2pix and BicycleGAN have them.

Called by `cgan` and `bicycle_gan`. Compared with the published ones: four halvings in place of six
to eight, a quarter of the channels, normalisation over groups in place of batches (so a photo's
colours do not depend on its batch), and bilinear enlargement before each convolution of the way up
in place of transposed convolutions (so any grid fits, and no checkerboard).

Source: Isola et al., CVPR 2017, section 3.2 and appendix; Zhu et al., NeurIPS 2017, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from train.layers import norm, upsample_to

SLOPE = 0.2
FINE = 16  # channels at full grid


class UNet(nn.Module):
    """Gray, and perhaps a code and dropout masks, to colours.

    Args:
        widths: channels at 1/2, 1/4, 1/8 and 1/16 of the grid.
        code_size: numbers in a code that joins every layer of the way down; 0 for none.
    """

    def __init__(self, widths: Sequence[int], code_size: int = 0) -> None:
        super().__init__()
        c2, c4, c8, c16 = widths
        self.code_size = code_size
        before = (1, c2, c4, c8)
        self.down = nn.ModuleList(
            nn.Conv2d(channels + code_size, width, 3, stride=2, padding=1)
            for channels, width in zip(before, widths, strict=True)
        )
        self.down_norm = nn.ModuleList(norm(width) for width in widths[1:])
        self.up = nn.ModuleList(
            [
                nn.Conv2d(c16, c8, 3, padding=1),
                nn.Conv2d(2 * c8, c4, 3, padding=1),
                nn.Conv2d(2 * c4, c2, 3, padding=1),
                nn.Conv2d(2 * c2, FINE, 3, padding=1),
            ]
        )
        self.up_norm = nn.ModuleList(norm(width) for width in (c8, c4, c2, FINE))
        self.head = nn.Conv2d(FINE + 1, 2, 3, padding=1)
        nn.init.normal_(self.head.weight, std=0.02)  # as pix2pix; training starts from gray

    def forward(
        self, gray: Tensor, code: Tensor | None = None, masks: Sequence[Tensor] = ()
    ) -> Tensor:
        """Returns colours (N, 2, h, w), ab / 128.

        Args:
            gray: (N, 1, h, w).
            code: (N, code_size), where the network was built with one.
            masks: factors for the innermost layers of the way up, at 1/8, 1/4 and 1/2 of the grid.
        """
        features, y = [], gray
        for number, layer in enumerate(self.down):
            y = layer(self._with_code(y, code))
            if number:
                y = self.down_norm[number - 1](y)
            y = functional.leaky_relu(y, SLOPE)
            features.append(y)
        skips = [*features[-2::-1], gray]  # 1/8, 1/4, 1/2, 1
        for number, (layer, skip) in enumerate(zip(self.up, skips, strict=True)):
            y = functional.relu(self.up_norm[number](layer(upsample_to(y, skip))))
            if number < len(masks):
                y = y * masks[number]
            y = torch.cat([y, skip], dim=1)
        return torch.tanh(self.head(y))

    def _with_code(self, y: Tensor, code: Tensor | None) -> Tensor:
        if code is None:
            return y
        places = code.reshape(-1, self.code_size, 1, 1).expand(-1, -1, y.shape[2], y.shape[3])
        return torch.cat([y, places.to(y.dtype)], dim=1)


class PatchCritic(nn.Module):
    """Says of each patch of a coloured photo how real it looks.

    Three layers, the first two halve the grid: a patch has 19 cells a side.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, width, 4, stride=2, padding=1),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
            norm(2 * width),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(2 * width, 1, 4, padding=1),
        )

    def forward(self, gray: Tensor, ab: Tensor) -> Tensor:
        """Returns opinions (N, 1, h', w'), float32; above 0 is real."""
        opinions: Tensor = self.body(torch.cat([gray, ab.to(gray.dtype)], dim=1))
        return opinions.float()
