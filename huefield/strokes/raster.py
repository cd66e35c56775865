"""Which pixels lie under a thick line with round ends, row by row, without a map per stroke.

A row of pixels meets each capsule (two discs and the rectangle between them, a convex shape) in
one interval, so a stroke is the union of intervals: cost goes with its outline, not with its area
times its number of points.  A pixel belongs to a stroke when its centre lies within the radius.
Called by `constraints` and, for painting at full size, by `huefield.colorizer`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from huefield.strokes.edits import Edits, Region, Stroke

_PAIRS_AT_ONCE = 1 << 18
_CELLS_AT_ONCE = 1 << 20

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class Patch(NamedTuple):
    """A mask that covers a part of a map.

    Attributes:
        top: first row.
        left: first column.
        mask: (rows, columns) bool.
    """

    top: int
    left: int
    mask: npt.NDArray[np.bool_]


def coverage(
    edits: Edits, shape: tuple[int, int]
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.float32]]:
    """Which stroke is seen on each pixel of a photo, and the strokes' colours.

    Args:
        edits: strokes in pixels of `edits.size`; ties and strokes that keep are left aside.
        shape: (H, W) of the map, of any size; the points are scaled to it.

    Returns:
        labels: (H, W) int16, index of the topmost stroke, -1 where there is none.
        colors: (num_strokes, 2) float32, ab units.
    """
    labels = np.full(shape, -1, dtype=np.int16)
    for index, stroke in enumerate(edits.strokes):
        if stroke.keep:
            continue
        for patch in patches(stroke, edits.size, shape):
            rows, columns = patch.mask.shape
            part = labels[patch.top : patch.top + rows, patch.left : patch.left + columns]
            part[patch.mask] = index
    colors = np.array([stroke.ab for stroke in edits.strokes], dtype=np.float32).reshape(-1, 2)
    return labels, colors


def patches(
    region: Region | Stroke, size: tuple[int, int], shape: tuple[int, int]
) -> Iterator[Patch]:
    """The pixels of a region on a map, in bands of rows that bound the memory.

    Args:
        region: the thick line, in pixels of `size`.
        size: (width, height) that the points refer to.
        shape: (H, W) of the map.
    """
    height, width = shape
    pitch_x, pitch_y = size[0] / width, size[1] / height
    # A line thinner than the map's pixels would slip between their centres.
    radius = max(region.radius, 0.5 * float(np.hypot(pitch_x, pitch_y)))
    points = _thinned(region.points, 0.25 * min(pitch_x, pitch_y))
    x, y = points[:, 0], points[:, 1]
    left = max(0, int(np.floor((x.min() - radius) / pitch_x)))
    right = min(width, int(np.ceil((x.max() + radius) / pitch_x)) + 1)
    if left >= right:
        return
    # Row r has its centre at (r + 0.5) pitch_y; these are the rows that each segment may meet.
    low = np.minimum(y[:-1], y[1:]) - radius
    high = np.maximum(y[:-1], y[1:]) + radius
    first = np.clip(np.ceil(low / pitch_y - 0.5), 0, height).astype(np.int64)
    last = np.clip(np.floor(high / pitch_y - 0.5) + 1, 0, height).astype(np.int64)
    first = np.minimum(first, last)
    if first.min() >= last.max():
        return
    band = max(1, _CELLS_AT_ONCE // (right - left))
    for top in range(int(first.min()), int(last.max()), band):
        bottom = min(top + band, int(last.max()))
        edges = np.zeros((bottom - top, right - left + 1), dtype=np.int32)
        begin, end = np.maximum(first, top), np.minimum(last, bottom)
        for segments in _chunks(np.maximum(end - begin, 0)):
            counts = np.maximum(end[segments] - begin[segments], 0)
            which = np.repeat(segments, counts)
            offset = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
            rows = np.repeat(begin[segments], counts) + offset
            start, stop = _spans(points, which, (rows + 0.5) * pitch_y, radius)
            # Column c has its centre at (c + 0.5) pitch_x.
            a = np.clip(np.ceil(start / pitch_x - 0.5), left, right).astype(np.int64) - left
            b = np.clip(np.floor(stop / pitch_x - 0.5) + 1, left, right).astype(np.int64) - left
            met = b > a
            np.add.at(edges, (rows[met] - top, a[met]), 1)
            np.add.at(edges, (rows[met] - top, b[met]), -1)
        np.cumsum(edges, axis=1, out=edges)
        yield Patch(top, left, edges[:, :-1] > 0)


def _thinned(points: Sequence[tuple[float, float]], least: float) -> Floats:
    """The points (n, 2) without those nearer than `least` to the one before; at least two."""
    array = np.asarray(points, dtype=np.float64)
    step = np.hypot(*np.diff(array, axis=0).T)
    # Steps are summed up, so a slow line of tiny steps keeps its shape.
    reached = np.floor(np.concatenate([[0.0], np.cumsum(step)]) / least)
    kept = np.concatenate([[True], np.diff(reached) > 0])
    kept[-1] = True
    array = array[kept]
    return array if len(array) > 1 else np.repeat(array, 2, axis=0)


def _chunks(counts: Integers) -> Iterator[Integers]:
    """Segment numbers in groups whose rows together stay within bounds."""
    group = np.cumsum(counts) // _PAIRS_AT_ONCE
    for value in np.unique(group[counts > 0]):
        yield np.flatnonzero((group == value) & (counts > 0))


def _spans(points: Floats, which: Integers, y: Floats, radius: float) -> tuple[Floats, Floats]:
    """Where capsules meet rows: x from and to; from > to where they do not.

    Args:
        points: (n, 2).
        which: (m,) segment of each pair, from points[i] to points[i + 1].
        y: (m,) height of each row.
        radius: half the width.
    """
    start = np.full(len(y), np.inf)
    stop = np.full(len(y), -np.inf)
    a, b = points[which], points[which + 1]
    for center in (a, b):
        inside = radius**2 - (y - center[:, 1]) ** 2
        half = np.sqrt(np.maximum(inside, 0.0))
        start = np.where(inside >= 0, np.minimum(start, center[:, 0] - half), start)
        stop = np.where(inside >= 0, np.maximum(stop, center[:, 0] + half), stop)
    along = b - a
    length = np.hypot(along[:, 0], along[:, 1])
    scale = radius / np.where(length > 0, length, 1.0)
    aside = np.stack([-along[:, 1] * scale, along[:, 0] * scale], axis=1)
    corners = (a + aside, b + aside, b - aside, a - aside)
    for p, q in zip(corners, corners[1:] + corners[:1], strict=True):
        rise = q[:, 1] - p[:, 1]
        share = (y - p[:, 1]) / np.where(rise == 0, 1.0, rise)
        crossed = (rise != 0) & (share >= 0) & (share <= 1)
        x = p[:, 0] + share * (q[:, 0] - p[:, 0])
        start = np.where(crossed, np.minimum(start, x), start)
        stop = np.where(crossed, np.maximum(stop, x), stop)
    return start, stop
