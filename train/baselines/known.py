"""What the methods that spread known colours ask of their input, in one place.

Called by `levin`, `barron`, `endo` and `zhang_onnx`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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
