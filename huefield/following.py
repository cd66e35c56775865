"""Edits in their order: colours first, with strokes that keep holding what those before them made.

A plain stroke or tie has the same target for every sample; a stroke that keeps has each sample's
own colours as its target, so what lies before it is solved first. Called by `colorizer`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from huefield.gcrf import Solver
from huefield.hints import expected_change, expected_colours
from huefield.networks import Networks
from huefield.strokes import Constraints, Edits, StrokeLabels, rasterize

Floats = NDArray[np.float32]


class Follower:
    """Makes samples of one photo follow edits.

    Args:
        networks: with a hints network or without.
        gray: (h, w) float32, the networks' input.
        solver: the photo's.
        labels: the photo's, on the grid of the fields.
    """

    def __init__(
        self, networks: Networks, gray: Floats, solver: Solver, labels: StrokeLabels
    ) -> None:
        self._networks = networks
        self._gray = gray
        self._solver = solver
        self._labels = labels
        self._unhinted: Floats | None = None

    def follow(self, fields: Floats, edits: Edits) -> Floats:
        """Fields (n, P, 2) float32, ab, that follow the edits."""
        held: dict[int, Floats] = {}

        def solved(part: Edits) -> Floats:
            constraints = rasterize(part, self._labels.grid, held, self._labels)
            return self._correct(fields, constraints) if len(constraints) else fields

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

    def _correct(self, fields: Floats, constraints: Constraints) -> Floats:
        """Fields (n, P, 2) corrected, from what the hints network expects where it is asked."""
        hinted = self._networks.has_hints and self._networks.info.hints_for_strokes
        if not hinted or len(constraints) == constraints.num_ties:
            return self._solver.correct(fields, constraints)
        if self._unhinted is None:
            nothing = Constraints.empty(self._gray.size)
            self._unhinted = expected_colours(
                self._networks, self._gray, nothing, np.zeros((1, 0, 2), np.float32)
            )[0]
        change = expected_change(self._networks, self._gray, fields, constraints, self._unhinted)
        return self._solver.correct(fields + change, constraints)
