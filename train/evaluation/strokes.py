"""A painted stroke: does it show its colour, how far does it reach, does L stay.

One scripted stroke per photo, in one colour, on one flat region that is found without chance.
Everything is measured at full size on the 8-bit picture that a person gets. Called by
`train.evaluate`; the core asks for a function that opens photos.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from tqdm import tqdm

from huefield import lab, metrics
from huefield.photo import Photo
from huefield.strokes import Edits, Stroke
from train.evaluation.photos import EvaluationError

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

ALIKE = 6.0  # L that two places of one region may differ by
CHROMA = 30.0
NUM_HUES = 6
REGION_SHARES = (0.02, 0.30)  # of the photo: an object, neither a speck nor the sky
MARGIN = 2.0  # radii around a stroke that count as its neighbourhood


class Opened(Protocol):
    """What is asked of `huefield.colorizer.OpenPhoto`."""

    def samples(self, n: int, seed: int = 0, edits: Edits | None = None) -> Sequence[Any]:
        """n colourings that follow the edits."""
        ...

    def render(self, sample: Any) -> NDArray[np.uint8]:
        """A colouring at full size, (H, W, 3)."""
        ...


OpenFn = Callable[[Photo], Opened]


@dataclass(frozen=True)
class Place:
    """Where to paint.

    Attributes:
        x: pixels, to the right.
        y: pixels, down.
        radius: of a stroke that fits, pixels.
        region: (H, W) true where L is alike and connected to the place.
        alike: (H, W) true where L is alike, connected or not.
    """

    x: float
    y: float
    radius: float
    region: Mask
    alike: Mask


@dataclass(frozen=True)
class StrokeFigures:
    """One stroke on one photo; distances in the ab plane, Lab units, on the 8-bit picture.

    Attributes:
        inside_error: mean distance to the painted colour inside the stroke.
        before_error: the same before it was painted: how much there was to change.
        region_change: mean change in the stroke's region (alike in L and connected).
        beyond_change: mean change beyond the stroke and its neighbourhood.
        outside_change: mean change outside of the region and the neighbourhood.
        alike_change: mean change where L is alike but not connected, a false friend; 0 if nowhere.
        lightness_error: mean |L out - L in| over the whole photo.
        region_share: the region's share of the photo.
    """

    inside_error: float
    before_error: float
    region_change: float
    beyond_change: float
    outside_change: float
    alike_change: float
    lightness_error: float
    region_share: float


TEXTS = {
    "inside_error": "mean ab error inside the stroke",
    "before_error": "the same before painting",
    "region_change": "mean ab change in its region",
    "beyond_change": "mean ab change beyond the stroke",
    "outside_change": "mean ab change outside of region and stroke",
    "alike_change": "mean ab change where L is alike elsewhere",
    "lightness_error": "mean difference of L, out against in",
    "region_share": "share of the photo that the region has",
}


@dataclass(frozen=True)
class StrokesTable:
    """Figures of each photo's stroke."""

    rows: tuple[StrokeFigures, ...]

    def mean(self) -> StrokeFigures:
        """Means over photos."""
        keys = [f.name for f in fields(StrokeFigures)]
        return StrokeFigures(
            **{k: float(np.mean([getattr(r, k) for r in self.rows])) for k in keys}
        )

    def to_json(self) -> dict[str, object]:
        """Means and largest values."""
        worst = {key: max(getattr(row, key) for row in self.rows) for key in TEXTS}
        return {"num_photos": len(self.rows), "mean": asdict(self.mean()), "largest": worst}

    def to_markdown(self) -> str:
        """A line per figure: mean, median and largest over photos."""
        lines = ["| Lab units | mean | median | largest |", "| --- | ---: | ---: | ---: |"]
        for key, text in TEXTS.items():
            values = np.array([getattr(row, key) for row in self.rows])
            lines.append(
                f"| {text} | {values.mean():.3f} | {np.median(values):.3f} | {values.max():.3f} |"
            )
        return "\n".join([*lines, "", f"{len(self.rows)} photos, one stroke each."])


def find_place(lightness: Floats) -> Place:
    """The flattest place of a photo whose region is an object's size; the flattest of all if none.

    Looks at L averaged over blocks of about 1/96 of the long side. A region is what is connected
    and within `ALIKE` of the place's mean L; only places of middling L count, for near black and
    white there is hardly any colour to see.

    Args:
        lightness: (H, W) L, sides at least 16.
    """
    height, width = lightness.shape
    smooth = ndimage.uniform_filter(lightness.astype(np.float32), max(3, max(height, width) // 96))
    radius = max(2.0, min(height, width) * 0.02)
    window = int(4 * radius) | 1
    mean = ndimage.uniform_filter(smooth, window)
    spread = np.sqrt(np.maximum(ndimage.uniform_filter(smooth**2, window) - mean**2, 0))
    edge = min(window, min(height, width) // 4)
    step = max(1, window // 2)
    centers = np.mgrid[edge : height - edge : step, edge : width - edge : step]
    ys, xs = centers.reshape(2, -1)
    dull = (mean[ys, xs] < 30) | (mean[ys, xs] > 80)
    order = np.argsort(spread[ys, xs] + 100 * dull, kind="stable")[:60]
    places = []
    for y, x in zip(ys[order], xs[order], strict=True):
        alike = np.abs(smooth - mean[y, x]) < ALIKE
        labels, _ = ndimage.label(alike)
        region = labels == labels[y, x] if labels[y, x] else np.zeros_like(alike)
        places.append(Place(x + 0.5, y + 0.5, radius, region, alike))
        if REGION_SHARES[0] <= region.mean() <= REGION_SHARES[1]:
            return places[-1]
    return places[0]


def paint_color(lightness: float, current: Floats) -> tuple[float, float]:
    """The one of six hues that differs most from the current ab, inside sRGB at that L."""
    angles = np.arange(NUM_HUES) * 2 * np.pi / NUM_HUES
    hues = CHROMA * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    inside = 0.9 * lab.clip_to_gamut(np.full(NUM_HUES, lightness), hues)
    a, b = inside[np.linalg.norm(inside - current, axis=1).argmax()]
    return float(a), float(b)


def measure_stroke(photo: Photo, opened: Opened, seed: int = 0) -> StrokeFigures:
    """Figures of one scripted stroke, painted on the first sample."""
    place = find_place(photo.lightness)
    before = lab.rgb_to_lab(opened.render(opened.samples(1, seed)[0]))
    x, y, radius = place.x, place.y, place.radius
    row, column = int(y), int(x)
    color = paint_color(float(photo.lightness[row, column]), before[row, column, 1:])
    stroke = Stroke(points=((x - radius, y), (x + radius, y)), radius=radius, ab=color)
    edits = Edits(size=(photo.width, photo.height), strokes=(stroke,))
    after = lab.rgb_to_lab(opened.render(opened.samples(1, seed, edits)[0]))
    rows, columns = np.ogrid[: photo.height, : photo.width]
    beside = np.maximum(np.abs(columns + 0.5 - x) - radius, 0)  # past the stroke's ends
    distance = np.hypot(beside, rows + 0.5 - y)
    painted = distance <= radius
    near = distance <= (1 + MARGIN) * radius

    def change(mask: Mask) -> float:
        return metrics.flood(before[..., 1:], after[..., 1:], mask).inside

    return StrokeFigures(
        inside_error=metrics.mean_ab_error(after[painted, 1:], np.array(color)),
        before_error=metrics.mean_ab_error(before[painted, 1:], np.array(color)),
        region_change=change(place.region),
        beyond_change=change(~near),
        outside_change=change(~(near | place.region)),
        alike_change=change(place.alike & ~(near | place.region)),
        lightness_error=float(np.abs(after[..., 0] - photo.lightness).mean()),
        region_share=float(place.region.mean()),
    )


def strokes_table(
    photos: Sequence[Photo], open_photo: OpenFn, *, seed: int = 0, progress: bool = True
) -> StrokesTable:
    """One stroke on each photo, grey ones too: no truth is needed.

    Args:
        photos: At full size, sides at least 16.
        open_photo: Usually `Colorizer.open`.
        seed: Of the sample that is painted on.
        progress: Whether a progress bar is drawn.

    Raises:
        EvaluationError: There is no photo of that size.
    """
    large = [photo for photo in photos if min(photo.height, photo.width) >= 16]
    if not large:
        raise EvaluationError("no photos to paint on: sides of at least 16 pixels are needed")
    bar = tqdm(large, desc="strokes", unit="photo", disable=not progress)
    return StrokesTable(tuple(measure_stroke(photo, open_photo(photo), seed) for photo in bar))
