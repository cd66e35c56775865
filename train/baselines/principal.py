"""Principal components of colour fields, and distances along them.

Called by `vae_mdn`. Along few directions colour fields vary much, along most hardly; an error
counts by how unusual it is.

Source: Deshpande et al., CVPR 2017, section 4.2 ("specificity").
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from train.batches import Batches

SIDE = 16  # cells of a field along each side, as the components see it
NUM_FIELDS = 2000
_AT_ONCE = 100


@dataclass(frozen=True)
class Directions:
    """The top components.

    Attributes:
        components: (k, 2 * SIDE * SIDE) float32, orthonormal rows: all of a, then all of b.
        variances: (k,) float32 of fields along them, falling.
    """

    components: Tensor
    variances: Tensor

    def to(self, device: torch.device) -> Directions:
        """Returns them on a device."""
        return Directions(self.components.to(device), self.variances.to(device))


def flat_fields(ab: Tensor) -> Tensor:
    """Returns fields (N, 2 * SIDE * SIDE) of ab (N, 2, h, w): means over cells, a before b."""
    return functional.adaptive_avg_pool2d(ab.float(), SIDE).flatten(1)


def principal_directions(batches: Batches, number: int) -> Directions:
    """Returns the components of training photos' fields, at most 2000 of them; k of them or fewer.

    Fewer where there are not enough photos to tell so many apart.
    """
    count = min(NUM_FIELDS, len(batches))
    steps = range(-(-count // _AT_ONCE))
    grid = batches.config.grids[0]
    fields = torch.cat([flat_fields(batches.train(k, _AT_ONCE, grid=grid).ab) for k in steps])
    fields = fields[:count] - fields[:count].mean(0)
    _, deviations, components = torch.linalg.svd(fields.double(), full_matrices=False)
    kept = max(1, min(number, count - 1))
    variances = deviations.square() / max(1, count - 1)
    return Directions(components[:kept].float(), variances[:kept].float().clamp_min(1e-8))


def direction_distance(colours: Tensor, ab: Tensor, directions: Directions) -> Tensor:
    """Returns the squared distance of each pair of fields, (N,).

    Along each component over its variance; what is left, over the smallest of these variances.
    """
    difference = flat_fields(colours) - flat_fields(ab)  # (N, d)
    along = difference @ directions.components.T  # (N, k)
    residual = difference - along @ directions.components
    scaled = (along.square() / directions.variances).sum(1)
    return scaled + residual.square().sum(1) / directions.variances[-1]
