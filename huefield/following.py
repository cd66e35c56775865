"""Edits in their order: colours first, with strokes that keep holding what those before them made.

A plain stroke or tie has the same target for every sample; a stroke that keeps has each sample's
own colours as its target, so what lies before it is solved first. Called by `colorizer`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from huefield.strokes import Constraints, Edits, StrokeLabels, rasterize

Floats = NDArray[np.float32]


def follow(
    fields: Floats,
    edits: Edits,
    labels: StrokeLabels,
    correct: Callable[[Floats, Constraints], Floats],
) -> Floats:
    """Fields (n, P, 2) that follow the edits.

    Args:
        fields: (n, P, 2) float32, before any edit.
        edits: strokes and ties.
        labels: the photo's, on the grid of the fields.
        correct: a solver's `correct`.
    """
    held: dict[int, Floats] = {}

    def solved(part: Edits) -> Floats:
        constraints = rasterize(part, labels.grid, held, labels)
        return correct(fields, constraints) if len(constraints) else fields

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
