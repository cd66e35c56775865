"""Where figures paint and look: places that photo and model decide. Called by `explained`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.cluster.vq import kmeans2

from huefield import upsample
from huefield.strokes import Edits, Stroke, coverage
from train.evaluation.photos import SquarePhoto
from train.reproduction.shown import SIDE

Floats = NDArray[np.float32]
Place = tuple[float, float]

NUM_EDITS, NUM_PIXELS = 2, 3
LENGTH, RADIUS = 16.0, 6.0  # of a stroke between its ends, and half its width, in pixels
EDGE = 0.15  # of each side: no place is chosen there
APART = 0.3  # of a side: two edits are at least so far from each other
SMOOTHING = 1.5  # cells over which places are judged


def scripted_edits(field: Floats, square: SquarePhoto) -> Edits:
    """Two strokes with the photo's own colours, where a colouring is furthest from them.

    Args:
        field: (h, w, 2) float32, ab of the colouring.
        square: the photo.
    """
    grid = (field.shape[0], field.shape[1])
    truth = upsample.grid_ab(square.ab, grid)
    miss, _ = _around(truth - field)
    _, mixed = _around(truth)
    # Large where a thing of one colour was missed.
    worth = _inside(np.linalg.norm(miss, axis=2) - mixed)
    row, column = np.indices(grid)
    strokes: list[Stroke] = []
    for _ in range(NUM_EDITS):
        y, x = np.unravel_index(np.argmax(worth), grid)
        across, down = _centre(int(y), int(x), grid)
        ends = ((across - LENGTH / 2, down), (across + LENGTH / 2, down))
        stroke = Stroke(ends, RADIUS, (0.0, 0.0))
        labels, _colors = coverage(Edits((SIDE, SIDE), (stroke,)), (SIDE, SIDE))
        a, b = square.ab[labels == 0].mean(axis=0)
        strokes.append(replace(stroke, ab=(float(a), float(b))))
        worth[np.hypot(row - y, column - x) < APART * max(grid)] = -np.inf
    return Edits((SIDE, SIDE), tuple(strokes))


def principal_components(embedding: Floats) -> Floats:
    """The embedding (D, h, w) in its three principal components, (h, w, 3) float32.

    The sign of each is such that its largest loading is positive.
    """
    size, h, w = embedding.shape
    flat = embedding.reshape(size, -1).astype(np.float64)  # (D, P)
    flat = flat - flat.mean(axis=1, keepdims=True)
    _, vectors = np.linalg.eigh(flat @ flat.T)
    axes = vectors[:, ::-1][:, :3]  # (D, 3)
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(3)])
    return np.asarray((axes.T @ flat).T.reshape(h, w, 3), np.float32)


def typical_places(components: Floats, seed: int) -> list[Place]:
    """Places (x, y) in pixels of a square of `SIDE`, one typical of each of three clusters.

    Args:
        components: (h, w, 3) float32, what cells are told apart by.
        seed: of the k-means that finds the clusters.
    """
    grid = (components.shape[0], components.shape[1])
    smooth, mixed = _around(components)
    centres, _ = kmeans2(smooth.reshape(-1, 3), NUM_PIXELS, minit="++", seed=seed)
    places = []
    for centre in centres:
        likeness = _inside(-np.linalg.norm(smooth - centre, axis=2) - mixed)
        y, x = np.unravel_index(np.argmax(likeness), grid)
        places.append(_centre(int(y), int(x), grid))
    return sorted(places)


def _centre(row: int, column: int, grid: tuple[int, int]) -> Place:
    """The middle (x, y) of a cell, in pixels."""
    return (column + 0.5) * SIDE / grid[1], (row + 0.5) * SIDE / grid[0]


def _around(values: Floats) -> tuple[Floats, Floats]:
    """Means (h, w, C) of values around each cell, and how far they differ there, (h, w)."""
    smooth = partial(ndimage.gaussian_filter, sigma=(SMOOTHING, SMOOTHING, 0))
    mean = smooth(values)
    variance = np.maximum(smooth(values * values) - mean * mean, 0).sum(axis=2)
    return mean, np.asarray(np.sqrt(variance), np.float32)


def _inside(worth: Floats) -> Floats:
    """The worth of cells (h, w), those near the edges at -inf."""
    rows, columns = (max(1, round(EDGE * side)) for side in worth.shape)
    kept = np.full(worth.shape, -np.inf, np.float32)
    kept[rows:-rows, columns:-columns] = worth[rows:-rows, columns:-columns]
    return kept
