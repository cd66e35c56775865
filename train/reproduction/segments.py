"""Objects of a photo, guessed from its L alone: a segmentation that no colouring has a say in.

Called by `consistency`.

Source: Felzenszwalb, Huttenlocher 2004, "Efficient graph-based image segmentation", on the grid's
eight neighbours, without its last step: small segments are left as they are rather than joined to a
neighbour that they are unlike.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float32]
Labels = NDArray[np.intp]

SCALE = 40.0  # units of L times cells: larger means larger segments
BLUR = 0.8  # cells
NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))


def segment(lightness: Floats, scale: float = SCALE, blur: float = BLUR) -> Labels:
    """Labels (h, w) of connected segments, from 0 on.

    Two segments are joined where the least difference of L between them is no more than the
    largest that joined either, plus `scale` over its size.

    Args:
        lightness: (h, w) L in 0..100.
        scale: units of L times cells.
        blur: deviation of the Gaussian that L is smoothed by first, cells; 0 for none.
    """
    smooth = np.asarray(lightness, np.float64)
    if blur:
        smooth = ndimage.gaussian_filter(smooth, blur)
    first, second, apart = _edges(smooth)
    parent = list(range(smooth.size))
    size = [1] * smooth.size
    limit = [scale] * smooth.size  # what a segment may be joined at: its largest edge + scale/size

    def root(cell: int) -> int:
        while parent[cell] != cell:
            parent[cell] = parent[parent[cell]]
            cell = parent[cell]
        return cell

    for k in np.argsort(apart, kind="stable"):
        one, other = root(int(first[k])), root(int(second[k]))
        if one != other and apart[k] <= min(limit[one], limit[other]):
            parent[other] = one
            size[one] += size[other]
            limit[one] = float(apart[k]) + scale / size[one]
    roots = np.array([root(cell) for cell in range(smooth.size)])
    return np.unique(roots, return_inverse=True)[1].reshape(smooth.shape)


def _edges(smooth: NDArray[np.float64]) -> tuple[Labels, Labels, NDArray[np.float64]]:
    """Both cells of each pair of neighbours, and their difference of L, each (E,)."""
    height, width = smooth.shape
    cells = np.arange(smooth.size).reshape(height, width)
    firsts, seconds = [], []
    for down, right in NEIGHBOURS:
        left = max(0, -right)
        firsts.append(cells[: height - down, left : width - max(0, right)].reshape(-1))
        seconds.append(cells[down:, left + right : width + min(0, right)].reshape(-1))
    first, second = np.concatenate(firsts), np.concatenate(seconds)
    level = smooth.reshape(-1)
    return first, second, np.abs(level[first] - level[second])


def large_segments(labels: Labels, least: int) -> list[NDArray[np.bool_]]:
    """Masks (h, w) of the segments of at least so many cells."""
    sizes = np.bincount(labels.reshape(-1))
    return [labels == label for label in np.flatnonzero(sizes >= least)]


def outlined(rgb: NDArray[np.uint8], labels: Labels, least: int) -> NDArray[np.uint8]:
    """A photo (H, W, 3) with the outlines of its large segments in white and the rest darkened.

    Args:
        rgb: the photo, sides whole multiples of the labels'.
        labels: (h, w).
        least: cells of a segment that is outlined.
    """
    times = len(rgb) // len(labels)
    kept = np.where(np.bincount(labels.reshape(-1))[labels] >= least, labels, -1)
    large = np.kron(kept, np.ones((times, times), np.intp))
    edge = np.zeros(large.shape, bool)
    edge[1:] |= large[1:] != large[:-1]
    edge[:, 1:] |= large[:, 1:] != large[:, :-1]
    picture = np.where(large[..., None] < 0, rgb // 2, rgb)
    picture[edge] = 255
    return picture
