"""What strokes change beyond the cells that they cover, as the hints network expects it.

Called by `huefield.colorizer` before the G-CRF makes the strokes exact. The network knows nothing
of a sample: it is asked what the photo's expected colours are with the strokes and without them,
and the difference is added to the sample. Where strokes tell nothing, the sample stays.

Source: the network is the local hints network of Zhang et al., SIGGRAPH 2017. Adding its change to
a sample as the weak prior of the G-CRF is Huefield's own; without it (a model folder that has no
such network) the prior is "no change", the form of Messaoud et al. with beta_u.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from huefield import lab
from huefield.networks import Networks
from huefield.strokes import Constraints

Floats = NDArray[np.float32]


def hint_map(
    constraints: Constraints, colours: Floats, grid: tuple[int, int]
) -> NDArray[np.float32]:
    """Input of the hints network: (n, 3, h, w) float32, ab / 128 and the share that is known.

    Args:
        constraints: the strokes; ties are left out.
        colours: (n, k, 2) ab, what each cell under a stroke shall show.
        grid: (h, w).
    """
    cells, shares = stroke_cells(constraints)
    maps = np.zeros((len(colours), 3, grid[0] * grid[1]), np.float32)
    maps[:, :2, cells] = lab.scale_ab(colours).transpose(0, 2, 1)
    maps[:, 2, cells] = shares
    return maps.reshape(len(colours), 3, *grid)


def stroke_cells(constraints: Constraints) -> tuple[NDArray[np.intp], Floats]:
    """Cells (k,) that strokes cover, and the covered share of each times its strength."""
    count = len(constraints) - constraints.num_ties
    cells = np.asarray(constraints.rows.indices[:count], np.intp)
    return cells, constraints.weights[:count]


def expected_colours(
    networks: Networks, gray: Floats, constraints: Constraints, colours: Floats
) -> Floats:
    """Expected colours of a photo under hints: (n, P, 2) float32, ab.

    Args:
        networks: with a hints network.
        gray: (h, w), scaled.
        constraints: the strokes.
        colours: (n, k, 2) ab of the cells under them.
    """
    maps = hint_map(constraints, colours, (gray.shape[0], gray.shape[1]))
    field = networks.hinted(gray, maps) * np.float32(lab.AB_SCALE)  # (n, 2, h, w)
    return np.ascontiguousarray(field.reshape(len(colours), 2, -1).transpose(0, 2, 1))


def expected_change(
    networks: Networks, gray: Floats, fields: Floats, constraints: Constraints, unhinted: Floats
) -> Floats:
    """What strokes change in each sample: (n, P, 2) float32, ab.

    The hint is the expected colour plus what the stroke asks of the sample, so that a stroke in
    the sample's own colour changes nothing.

    Args:
        networks: with a hints network.
        gray: (h, w), scaled.
        fields: (n, P, 2) ab, the samples.
        constraints: the strokes.
        unhinted: (P, 2) ab, the expected colours without strokes.
    """
    cells, _ = stroke_cells(constraints)
    targets = constraints.targets[: len(cells)].reshape(len(cells), -1, 2)  # (k, 1 or n, 2)
    wanted = targets.transpose(1, 0, 2) - fields[:, cells]  # (n, k, 2)
    hinted = expected_colours(networks, gray, constraints, unhinted[cells] + wanted)
    return hinted - unhinted
