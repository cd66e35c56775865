"""Photo to working grid and back: area means down, edge-following colours up.

Down, L and ab are averaged over grid cells exactly. Up, colours must not bleed over edges that the
grid is too coarse to show, so the photo's own L guides them, in two steps:

1. To a picture of at most `MIDDLE_PIXELS`: joint bilateral upsampling, each pixel a mean of the
   nine cells around it, weighted by nearness and by likeness of L. How alike is alike adapts to the
   spread of L nearby. The field is sharpened first so that cells keep their mean. Where ab is all
   but a linear function of L around a cell, as across the edge between two surfaces, pixels also
   follow that line: it alone can part the colours of a cell that the edge cuts through.
2. From there to the full photo, if it is larger: a guided filter, that is ab as a linear function
   of L in small windows, whose slowly varying coefficients are interpolated.

What depends on L alone a `Guide` prepares once for all samples. Called by `colorizer`, its
renderer and the evaluation.

Source: Kopf et al. 2007 (joint bilateral upsampling); He, Sun, Tang 2010 and He, Sun 2015 (guided
filter, fast); Irani, Peleg 1991 (back-projection).
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

from huefield.bands import for_each_band
from huefield.lab import Floats

Shape = tuple[int, int]

MIDDLE_PIXELS = 300_000
_NEARNESS = 0.5  # deviation of the spatial weight, in cells
_LIKENESS = 6.0  # deviation of the weight of L where L is flat
_SPREAD = 1.0  # share of the local variance of L added to its square
_FLOOR = 1e-4  # so that a pixel unlike all its cells still has colours
_SHARPENINGS = 3
_LINE_EPS = 30.0  # variance of L below which cells have no line
_LINE_FIT = 0.8  # share of the variance of ab that a line must explain to be followed
_RADIUS = 1  # of the guided filter's windows, in pixels of the middle picture
_EPS = 40.0  # variance of L below which such a window counts as flat


def grid_shape(height: int, width: int, *, area: int = 4096, multiple: int = 8) -> Shape:
    """Working grid (h, w) of a photo: about `area` cells, sides multiples, aspect kept.

    Of all grids of 0.85 to 1.125 times the area the one is chosen whose aspect and area differ
    least, an error in aspect counting twice.
    """
    best, least = (multiple, multiple), np.inf
    for h in range(multiple, int(1.125 * area) // multiple + 1, multiple):
        first = math.ceil(0.85 * area / h / multiple) * multiple
        for w in range(first, int(1.125 * area / h) + 1, multiple):
            cost = abs(math.log(w / h * height / width)) + 0.5 * abs(math.log(h * w / area))
            if cost < least - 1e-9:
                best, least = (h, w), cost
    return best


def _means(num_in: int, num_out: int) -> sparse.csr_matrix:
    """Rows (num_out, num_in) that average a line of pixels over equal cells, fractions included."""
    edges = np.union1d(np.arange(num_in + 1) * num_out, np.arange(num_out + 1) * num_in)
    starts = edges[:-1]  # pieces in units of 1 / (num_in num_out) of the line, in whole numbers
    share = (np.diff(edges) / num_in).astype(np.float32)
    index = (starts // num_in, starts // num_out)
    return sparse.csr_matrix((share, index), shape=(num_out, num_in))


def _averaged(values: Floats, shape: Shape) -> Floats:
    """Area means (h, w, C) of values (H, W, C)."""
    height, width, channels = values.shape
    h, w = shape
    rows = _means(height, h) @ values.reshape(height, width * channels)
    rows = rows.reshape(h, width, channels).transpose(1, 0, 2).reshape(width, h * channels)
    cells = (_means(width, w) @ rows).reshape(w, h, channels).transpose(1, 0, 2)
    return np.ascontiguousarray(cells, np.float32)


def grid_lightness(lightness: Floats, grid: Shape) -> Floats:
    """L on the grid: area means (h, w) float32 of (H, W)."""
    return _averaged(np.asarray(lightness, np.float32)[..., None], grid)[..., 0]


def grid_ab(ab: Floats, grid: Shape) -> Floats:
    """Colours on the grid: area means (h, w, 2) float32 of (H, W, 2)."""
    return _averaged(np.asarray(ab, np.float32), grid)


def _positions(num_in: int, num_out: int) -> Floats:
    """Where the centres of `num_out` pixels lie among the centres of `num_in` cells."""
    centres = (np.arange(num_out) + 0.5) * (num_in / num_out) - 0.5
    return np.asarray(centres, np.float32)


def _neighbours(num_in: int, num_out: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Left and right neighbour and the right one's weight, each (num_out,), edges repeated."""
    position = np.clip(_positions(num_in, num_out), 0, num_in - 1)
    left = np.minimum(position.astype(np.intp), max(0, num_in - 2))
    return left, np.minimum(left + 1, num_in - 1), (position - left).astype(np.float32)


def _between(num_in: int, num_out: int) -> sparse.csr_matrix:
    """Rows (num_out, num_in) that interpolate linearly along a line of cells."""
    left, right, far = _neighbours(num_in, num_out)
    weight = np.stack([1 - far, far], axis=1).reshape(-1)
    index = np.stack([left, right], axis=1).reshape(-1)
    ends = np.arange(0, weight.size + 1, 2)
    return sparse.csr_matrix((weight, index, ends), shape=(num_out, num_in))


def bilinear(field: Floats, shape: Shape) -> Floats:
    """Plain bilinear interpolation (H, W, C) float32 of a field (h, w, C), blind to the photo."""
    values = np.asarray(field, np.float32)
    top, bottom, low = _neighbours(values.shape[0], shape[0])
    left, right, far = _neighbours(values.shape[1], shape[1])
    rows = values[top] + (values[bottom] - values[top]) * low[:, None, None]
    return np.asarray(rows[:, left] + (rows[:, right] - rows[:, left]) * far[:, None])


def upsample(field: Floats, lightness: Floats) -> Floats:
    """Colours of the full photo, (H, W, 2) float32.

    Args:
        field: (h, w, 2) float32, ab on the grid.
        lightness: (H, W) float32, L of the photo in 0..100.
    """
    return Guide(lightness).upsample(field)


@dataclass(frozen=True)
class _Plan:
    """What one grid and one photo fix; P cells, P' pixels of the middle picture.

    Attributes:
        spread: (P', 2 P), what a colour of the middle picture takes from the cells' colours (rows
            sum to 1) and, beside it, from their slopes of colour over L.
        blur: (P, P), what a cell's mean becomes of the cells' colours on that way.
        coarse: (h, w, 1) float32, L on the grid.
    """

    spread: sparse.csr_matrix
    blur: sparse.csr_matrix
    coarse: Floats

    @property
    def nbytes(self) -> int:
        """Bytes of all parts."""
        matrices = (self.spread, self.blur)
        size = sum(m.data.nbytes + m.indices.nbytes + m.indptr.nbytes for m in matrices)
        return int(size + self.coarse.nbytes)


class Guide:
    """A photo's L, prepared to bring any number of colour fields to its size.

    The first field of a grid takes longer; safe to use from several threads.

    Args:
        lightness: (H, W) float32, L in 0..100; kept, not copied.
        grid: prepare for fields of this shape now rather than with the first one.
    """

    def __init__(self, lightness: Floats, grid: Shape | None = None) -> None:
        self.lightness = lightness
        height, width = lightness.shape
        scale = min(1.0, (MIDDLE_PIXELS / (height * width)) ** 0.5)
        middle = max(1, round(height * scale)), max(1, round(width * scale))
        self._middle = lightness if scale == 1 else grid_lightness(lightness, middle)
        self._lock = threading.Lock()
        self._plans: dict[Shape, _Plan] = {}
        if grid is not None:
            self._plan(grid)

    @property
    def nbytes(self) -> int:
        """Bytes held, the lightness included."""
        plans = sum(plan.nbytes for plan in list(self._plans.values()))
        own = 0 if self._middle is self.lightness else self._middle.nbytes
        return self.lightness.nbytes + own + plans

    def upsample(self, field: Floats) -> Floats:
        """Colours of the full photo, (H, W, 2) float32, of a field (h, w, 2)."""
        field = np.asarray(field, np.float32)
        plan = self._plan((field.shape[0], field.shape[1]))
        wanted = field.reshape(-1, 2)
        colors = wanted
        for _ in range(_SHARPENINGS):
            colors = colors + (wanted - plan.blur @ colors)
        slopes = _clear_lines(plan.coarse, field).reshape(-1, 2)
        parts = np.concatenate([colors, slopes]).T  # (2, 2 P)
        middle = np.empty((*self._middle.shape, 2), np.float32)
        for k in range(2):  # two products with a vector are quicker than one with two columns
            middle[..., k] = (plan.spread @ parts[k]).reshape(self._middle.shape)
        return middle if self._middle is self.lightness else self._enlarge(middle)

    def _plan(self, grid: Shape) -> _Plan:
        with self._lock:
            if grid not in self._plans:
                height, width = self._middle.shape
                coarse = grid_lightness(self._middle, grid)
                cells = _bilateral(self._middle, coarse)
                means = sparse.kron(_means(height, grid[0]), _means(width, grid[1]), "csr")
                rest = self._middle.reshape(-1) - cells @ coarse.reshape(-1)
                between = sparse.kron(_between(grid[0], height), _between(grid[1], width), "csr")
                between.data *= np.repeat(rest, np.diff(between.indptr))
                spread = sparse.hstack([cells, between], "csr")
                self._plans[grid] = _Plan(spread, (means @ cells).tocsr(), coarse[..., None])
            return self._plans[grid]

    def _enlarge(self, colors: Floats) -> Floats:
        """Colours of the full photo (H, W, 2) from those of the middle picture (H', W', 2)."""
        slope, offset = _local_lines(self._middle, colors)
        lines = np.concatenate([slope, offset], axis=2).transpose(0, 2, 1)  # (H', 4, W')
        lines = np.ascontiguousarray(lines)
        height, width = self.lightness.shape
        top, bottom, low = _neighbours(lines.shape[0], height)
        left, _, far = _neighbours(lines.shape[2], width)
        full = np.empty((height, width, 2), np.float32)

        def band(first: int, last: int) -> None:
            above, below = lines[top[first:last]], lines[bottom[first:last]]
            below -= above
            below *= low[first:last, None, None]
            above += below  # (rows, 4, W')
            step = np.diff(above, axis=2, append=above[:, :, -1:])
            parts = []
            for k in range(4):
                plane = np.take(step[:, k], left, axis=1)
                plane *= far
                plane += np.take(above[:, k], left, axis=1)
                parts.append(plane)
            light = self.lightness[first:last]
            for k in range(2):
                parts[k] *= light
                np.add(parts[k], parts[k + 2], out=full[first:last, :, k])

        for_each_band(height, width, band)
        return full


def _local_lines(lightness: Floats, colors: Floats) -> tuple[Floats, Floats]:
    """Slope and offset (H', W', 2) of ab as a linear function of L around each pixel."""
    gray = lightness[..., None]
    mean = _windowed(gray)
    variance = np.maximum(_windowed(gray * gray) - mean * mean, np.float32(0))
    mean_color = _windowed(colors)
    slope = (_windowed(gray * colors) - mean * mean_color) / (variance + np.float32(_EPS))
    offset = mean_color - slope * mean
    return _windowed(slope), _windowed(offset)


def _windowed(values: NDArray[Any]) -> Floats:
    """Means (H, W, C) over the windows around each pixel."""
    size = 2 * _RADIUS + 1
    return np.asarray(ndimage.uniform_filter(values, (size, size, 1), mode="nearest"))


def _clear_lines(lightness: Floats, colors: Floats) -> Floats:
    """Slopes (h, w, 2) of ab over L around each cell, 0 where colours do not follow L closely."""
    mean, mean_color = _windowed(lightness), _windowed(colors)
    variance = np.maximum(_windowed(lightness * lightness) - mean * mean, np.float32(0))
    color_variance = np.maximum(_windowed(colors * colors) - mean_color * mean_color, np.float32(0))
    both = _windowed(lightness * colors) - mean * mean_color
    least = (variance + 1) * (color_variance.sum(axis=2, keepdims=True) + 4)
    fit = (both * both).sum(axis=2, keepdims=True) / least
    trust = np.clip((fit - _LINE_FIT) / (1 - _LINE_FIT), 0, 1) ** 2
    return np.asarray(trust * both / (variance + _LINE_EPS), np.float32)


def _bilateral(lightness: Floats, coarse: Floats) -> sparse.csr_matrix:
    """Weights (P', P) of the nine cells around each pixel; rows sum to 1.

    Args:
        lightness: (H', W') float32, L of the pixels.
        coarse: (h, w) float32, L of the cells.
    """
    h, w = coarse.shape
    height, width = lightness.shape
    mean = ndimage.uniform_filter(coarse, 3, mode="nearest")
    square = ndimage.uniform_filter(coarse * coarse, 3, mode="nearest")
    spread = _LIKENESS**2 + _SPREAD * np.maximum(square - mean * mean, 0)
    sharpness = -0.5 / bilinear(spread[..., None], (height, width))[..., 0]

    row, row_weight = _nearest_three(h, height)
    column, column_weight = _nearest_three(w, width)
    weights = np.empty((height, width, 3, 3), np.float32)
    for i in range(3):
        for j in range(3):
            unlike = coarse[np.ix_(row[:, i], column[:, j])]
            unlike -= lightness
            unlike *= unlike
            unlike *= sharpness
            np.exp(unlike, out=unlike)
            unlike += np.float32(_FLOOR)
            unlike *= row_weight[:, i, None]
            unlike *= column_weight[:, j]
            weights[:, :, i, j] = unlike
    weights /= weights.sum(axis=(2, 3), keepdims=True)
    index = row[:, None, :, None] * np.int32(w) + column[None, :, None, :]  # (H', W', 3, 3)
    ends = np.arange(0, weights.size + 1, 9, dtype=np.int32)
    return sparse.csr_matrix(
        (weights.reshape(-1), index.reshape(-1), ends), shape=(height * width, h * w)
    )


def _nearest_three(num_cells: int, num_pixels: int) -> tuple[NDArray[np.int32], Floats]:
    """Per pixel of a line its three nearest cells and their spatial weights, both (pixels, 3)."""
    position = _positions(num_cells, num_pixels)
    index = np.floor(position + 0.5).astype(np.int32)[:, None] + np.arange(-1, 2, dtype=np.int32)
    weight = np.exp(-0.5 * ((index - position[:, None]) / _NEARNESS) ** 2).astype(np.float32)
    weight[(index < 0) | (index >= num_cells)] = 0
    return np.clip(index, 0, num_cells - 1), weight
