"""What the methods that spread known colours ask of their input, in one place.

Called by `levin`, `barron`, `endo`, `zhang_onnx` and `train.evaluation.revealed`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from huefield import upsample
from huefield.strokes import Constraints


def check_known(
    lightness: NDArray[np.floating], known: NDArray[np.bool_], colors: NDArray[np.floating]
) -> None:
    """Refuses what no method can spread.

    Args:
        lightness: (H, W) L in 0..100, both sides at least 2.
        known: (H, W) true where the colour is revealed.
        colors: (H, W, 2) ab.

    Raises:
        ValueError: The shapes differ, a side is shorter than 2, a revealed colour is not finite,
            or nothing is revealed.
    """
    if lightness.ndim != 2 or known.shape != lightness.shape:
        raise ValueError(f"expected (H, W) twice, got {lightness.shape} and {known.shape}")
    if min(lightness.shape) < 2:
        raise ValueError(f"both sides must be at least 2 pixels, got {lightness.shape}")
    if colors.shape != (*lightness.shape, 2):
        raise ValueError(f"expected ab of shape {(*lightness.shape, 2)}, got {colors.shape}")
    if not known.any():
        raise ValueError("no pixel is revealed, so there is no colour to spread")
    if not np.isfinite(colors[known]).all():
        raise ValueError("a revealed colour is not finite")


def known_cells(
    known: NDArray[np.bool_], colors: NDArray[np.floating], grid: tuple[int, int]
) -> Constraints:
    """Constraints on grid cells: target = mean known colour, weight = share that is known.

    Args:
        known: (H, W) true where the colour is revealed.
        colors: (H, W, 2) ab; read at the revealed pixels alone.
        grid: (h, w).
    """
    seen = np.where(known[..., None], colors, 0.0).astype(np.float32)
    share = upsample.grid_lightness(known.astype(np.float32), grid).reshape(-1)
    cells = np.flatnonzero(share > 1e-6)
    total = upsample.grid_ab(seen, grid).reshape(-1, 2)
    targets = (total[cells] / share[cells, None]).astype(np.float32)
    return Constraints.of_cells(cells, targets, share.size, share[cells])
