"""One colouring of a photo on the working grid: what `colorizer` gives and the web app keeps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huefield.picks import Pick
from huefield.strokes import Edits

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Sample:
    """One colouring on the working grid.

    Attributes:
        index: its place in the set.
        seed: seed of the set.
        component: the component of the mixture that z came from.
        log_prob: log-density of z under the mixture.
        fit: how well the colouring agreed with the edits before it followed them, 0 (not at all)
            to 1; 1 where there are none.
        z: (latent_size,) float32.
        field: (h, w, 2) float32, ab.
        edits: the strokes and ties that it follows.
        pick: the latent code that it was asked for by; None where codes were chosen for the edits.
    """

    index: int
    seed: int
    component: int
    log_prob: float
    fit: float
    z: Floats
    field: Floats
    edits: Edits | None = None
    pick: Pick | None = None
