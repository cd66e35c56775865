"""Whether edits should choose the samples or correct those that were there.

Called by `ablations`. Five places of a test photo get their true colour as strokes, through
`huefield.colorizer` as the studio does it: with latent codes chosen to agree with the strokes, or
with those of the samples before, in both cases corrected by the G-CRF.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from huefield import lab, metrics, upsample
from huefield.colorizer import Colorizer
from huefield.networks import Networks
from huefield.strokes import Edits, Stroke
from train.evaluation.photos import SquarePhoto
from train.evaluation.revealed import PATCH, points_seed
from train.reproduction.shown import photo_of

COUNT = 8
NUM_STROKES = 5
CORRECTED = "samples before, corrected by the edits"
CONDITIONED = "chosen for the edits, corrected by them"
UNEDITED = "samples before the edits"
ROWS = (CORRECTED, CONDITIONED, UNEDITED)
FIGURES = {
    "image_mae": "error of best of 8 (MAE, ab/128)",
    "mean_mae": "mean error of the 8 (MAE, ab/128)",
    "variance": "variance (ab/128)",
}


def true_edits(photo: SquarePhoto, seed: int) -> Edits:
    """Strokes of a photo's true colours at `NUM_STROKES` places, drawn as revealed points are.

    Args:
        photo: a square, sides at least `PATCH`.
        seed: of the places, N(centre, side / 4) clipped to the photo.
    """
    side, half = len(photo.ab), PATCH // 2
    offsets = np.random.default_rng(seed).standard_normal((NUM_STROKES, 2))
    places = np.rint((side - 1) / 2 + offsets * side / 4).astype(int)
    strokes = []
    for y, x in np.clip(places, half, side - 1 - half):
        patch = photo.ab[y - half : y + half + 1, x - half : x + half + 1]
        a, b = patch.mean(axis=(0, 1))
        point = (float(x) + 0.5, float(y) + 0.5)
        strokes.append(Stroke((point,), PATCH / 2, (float(a), float(b))))
    return Edits((side, side), tuple(strokes))


def measure_row(
    networks: Networks, photos: Sequence[SquarePhoto], row: str, seed: int
) -> dict[str, list[float]]:
    """`FIGURES` of each photo on the working grid, the strokes' own cells with the others.

    Args:
        networks: the model.
        photos: squares.
        row: of `ROWS`.
        seed: photo k is sampled with seed + k, its strokes are drawn from (seed, k).
    """
    colorizer = Colorizer(networks, anticipate=False)
    found: dict[str, list[float]] = {name: [] for name in FIGURES}
    for k, photo in enumerate(photos):
        opened = colorizer.open(photo_of(photo))
        edits = None if row == UNEDITED else true_edits(photo, points_seed(seed, k))
        samples = opened.samples(COUNT, seed + k, edits, condition=row == CONDITIONED)
        fields = np.stack([sample.field for sample in samples])
        truth = upsample.grid_ab(photo.ab, opened.grid)
        found["image_mae"].append(metrics.error_of_best(fields, truth).image_mae)
        found["mean_mae"].append(float(np.abs(fields - truth).mean()) / lab.AB_SCALE)
        found["variance"].append(metrics.variance(fields))
    return found
