"""Edits in their order: colours first, with strokes that keep holding what those before them made.

A plain stroke or tie has the same target for every sample; a stroke that keeps has each sample's
own colours as its target, so what lies before it is solved first. Called by `colorizer`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from huefield.gcrf import Solver
from huefield.hints import Reach
from huefield.networks import Networks
from huefield.strokes import Edits, StrokeLabels, rasterize

Floats = NDArray[np.float32]


class Follower:
    """Makes samples of one photo follow edits.

    Args:
        networks: with a hints network or without.
        gray: (h, w) float32, the networks' input.
        embedding: (D, P), the photo's.
        solver: the photo's.
        labels: the photo's, on the grid of the fields.
    """

    def __init__(
        self,
        networks: Networks,
        gray: Floats,
        embedding: Floats,
        solver: Solver,
        labels: StrokeLabels,
    ) -> None:
        hinted = networks.has_hints and networks.info.hints_for_strokes
        self._reach = Reach(networks, gray, embedding) if hinted else None
        self._solver = solver
        self._labels = labels

    @property
    def nbytes(self) -> int:
        """Bytes held beside the solver's and the labels'."""
        return 0 if self._reach is None else self._reach.nbytes

    def follow(self, fields: Floats, edits: Edits) -> Floats:
        """Fields (n, P, 2) float32, ab, that follow the edits."""
        held: dict[int, Floats] = {}

        def solved(part: Edits) -> Floats:
            constraints = rasterize(part, self._labels.grid, held, self._labels)
            if not len(constraints):
                return fields
            moved = self._reach.moved(fields, part) if self._reach is not None else fields
            return self._solver.correct(moved, constraints)

        present: Floats | None = None
        for index, stroke in enumerate(edits.strokes):
            if not stroke.keep:
                present = None
                continue
            # Strokes that keep and follow one another hold the same colours: one solve for all.
            if present is None:
                present = solved(replace(edits, strokes=edits.strokes[:index]))
            held[index] = present
        return solved(edits)
