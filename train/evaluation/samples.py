"""How right and how varied samples are on the working grid, with the G-CRF on and off.

The protocol of the paper's Table 2 with the figures that it lacks: colour beyond a tint, and the
best of eight against eight fixed tints. `train.evaluate` runs it on an exported model, the stages
on their networks: the core asks for a function that gives samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from huefield import lab, metrics
from train.evaluation.bootstrap import Interval, figure_intervals
from train.evaluation.photos import EvaluationError, SquarePhoto

Floats = NDArray[np.float32]

SIDE = 64
COUNTS = (8, 100)
NUM_TINTS = 8

SampleFn = Callable[[Floats, int, int], Mapping[str, Floats]]
"""Samples {setting: (n, h, w, 2) ab} of L (h, w), for a number n and a seed.

The settings are those that are compared, such as "gcrf on" and "gcrf off"; the first k of n samples
are the samples that k alone would give.
"""

FIGURES = {
    "image_mae": "error of best, image-wise MAE (ab/128)",
    "image_mse": "error of best, image-wise MSE (ab/128)",
    "pixel_mse": "error of best, pixel-wise MSE (ab/128)",
    "variance": "variance, unbiased (ab/128)",
    "variance_beyond_tint": "of it beyond a tint of each sample",
    "ssim_rgb": "SSIM over all pairs, RGB (range 255)",
    "ssim_ab": "SSIM over all pairs, ab (range 256)",
    "colorfulness": "colourfulness (Hasler-Süsstrunk)",
    "colorfulness_distance": "its distance to the true photo's",
    "beyond_tint_share": "colour beyond a tint, share of the truth's",
    "below_tints": "best-of-8 MAE below that of eight fixed tints",
    "first_ab_error": "mean ab error of the likeliest sample (Lab units)",
}


@dataclass(frozen=True)
class SamplesTable:
    """Figures of each setting and number of samples, and those of the set itself.

    Attributes:
        num_photos: Photos measured.
        rows: {(setting, N): {figure: value}}, figures as in `FIGURES`.
        reference: `tints_mae`, `grey_mae`, `true_colorfulness`, `true_beyond_tint`.
        tints: (8, 2) the fixed tints, Lab units.
        intervals: {(setting, N): {figure: 95 % bootstrap interval over photos}}.
        each: {(setting, N): {figure: its value for each photo}}, without the ratios of sums.
    """

    num_photos: int
    rows: Mapping[tuple[str, int], Mapping[str, float]]
    reference: Mapping[str, float]
    tints: Floats
    intervals: Mapping[tuple[str, int], Mapping[str, Interval]] = field(default_factory=dict)
    each: Mapping[tuple[str, int], Mapping[str, list[float]]] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """All figures, keyed by "setting, N = n"."""
        return {
            "num_photos": self.num_photos,
            "rows": {f"{setting}, N = {n}": dict(row) for (setting, n), row in self.rows.items()},
            "intervals": {
                f"{setting}, N = {n}": {key: list(ends) for key, ends in row.items()}
                for (setting, n), row in self.intervals.items()
            },
            "reference": dict(self.reference),
            "tints": np.round(self.tints, 3).tolist(),
        }

    def to_markdown(self) -> str:
        """A table with a line per figure and a column per setting and number of samples."""
        heads = [f"{setting}, N = {n}" for setting, n in self.rows]
        lines = ["| | " + " | ".join(heads) + " |", "| --- |" + " ---: |" * len(heads)]
        for key, text in FIGURES.items():
            cells = [f"{row[key]:.4g}" if key in row else "" for row in self.rows.values()]
            lines.append(f"| {text} | " + " | ".join(cells) + " |")
        known = self.reference
        lines += [
            "",
            f"{self.num_photos} photos. MAE of the best of eight fixed tints "
            f"{known['tints_mae']:.4f}, of grey {known['grey_mae']:.4f}; true colourfulness "
            f"{known['true_colorfulness']:.1f}, true colour beyond a tint "
            f"{known['true_beyond_tint']:.2f} Lab units.",
        ]
        return "\n".join(lines)


def measure_set(fields: Floats, photo: SquarePhoto, tint_error: float) -> dict[str, float]:
    """Figures of one photo's samples (N, h, w, 2); sums of the set's ratios under "sum_..."."""
    rendered = np.stack([lab.render_rgb8(photo.lightness, ab) for ab in fields])
    best = metrics.error_of_best(fields, photo.ab)
    figures = {
        "image_mae": best.image_mae,
        "image_mse": best.image_mse,
        "pixel_mse": best.pixel_mse,
        "variance": metrics.variance(fields),
        "variance_beyond_tint": metrics.variance_beyond_tint(photo.lightness, fields),
        "ssim_rgb": metrics.pairwise_ssim(rendered, metrics.RGB_RANGE),
        "ssim_ab": metrics.pairwise_ssim(fields, metrics.AB_RANGE),
        "colorfulness": float(np.mean([metrics.colorfulness(rgb) for rgb in rendered])),
        "colorfulness_distance": metrics.colorfulness_distance(rendered, photo.rgb),
        "first_ab_error": metrics.mean_ab_error(fields[0], photo.ab),
        "beyond_tint": float(np.mean([metrics.beyond_tint(photo.lightness, ab) for ab in fields])),
    }
    if len(fields) == NUM_TINTS:
        figures["tints_mae"] = tint_error
    return figures


def samples_table(
    photos: Sequence[SquarePhoto],
    sample: SampleFn,
    tints: Floats,
    *,
    counts: Sequence[int] = COUNTS,
    seed: int = 0,
    progress: bool = True,
) -> SamplesTable:
    """Figures over samples, means over photos; see `FIGURES` and `huefield.metrics`.

    "below_tints" is 1 - (sum of best-of-8 MAE) / (sum of best-of-eight-tints MAE), given for N = 8
    alone: eight samples against eight tints.

    Args:
        photos: Squares at the size of the grid, sides at least 11.
        sample: Gives the samples of every setting.
        tints: (8, 2) from `tints_of`.
        counts: Numbers of samples, each at least 2.
        seed: Photo k is sampled with seed + k.
        progress: Whether a progress bar is drawn.

    Raises:
        EvaluationError: There is no photo.
    """
    if not photos:
        raise EvaluationError("no photos to sample colours for")
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    bar = tqdm(photos, desc="samples", unit="photo", disable=not progress)
    tint_errors = [metrics.best_tint_mae(photo.ab, tints) for photo in photos]
    truths = np.array([metrics.beyond_tint(photo.lightness, photo.ab) for photo in photos])
    for k, photo in enumerate(bar):
        for setting, fields in sample(photo.lightness, max(counts), seed + k).items():
            for count in sorted(counts):
                row = measure_set(fields[:count], photo, tint_errors[k])
                found.setdefault((setting, count), []).append(row)
    rows = {key: _summed_up(measured, truths) for key, measured in found.items()}
    reference = {
        "tints_mae": float(np.mean(tint_errors)),
        "grey_mae": float(np.mean([np.abs(photo.ab).mean() / lab.AB_SCALE for photo in photos])),
        "true_colorfulness": float(np.mean([metrics.colorfulness(p.rgb) for p in photos])),
        "true_beyond_tint": float(truths.mean()),
    }
    intervals = {
        key: {
            figure: ends
            for figure, ends in figure_intervals(measured, truths, seed).items()
            if figure in FIGURES
        }
        for key, measured in found.items()
    }
    each = {
        key: {figure: [row[figure] for row in measured] for figure in measured[0]}
        for key, measured in found.items()
    }
    return SamplesTable(len(photos), rows, reference, tints, intervals, each)


def _summed_up(measured: Iterable[Mapping[str, float]], truths: Floats) -> dict[str, float]:
    """Means over photos; the two ratios from sums over photos."""
    each = list(measured)
    mean = {key: float(np.mean([row[key] for row in each])) for key in each[0]}
    beyond = np.array([[row["beyond_tint"]] for row in each])
    mean["beyond_tint_share"] = metrics.beyond_tint_share(beyond, truths)
    if "tints_mae" in mean:
        mean["below_tints"] = 1 - mean["image_mae"] / mean["tints_mae"]
    return {key: mean[key] for key in FIGURES if key in mean}


def tints_of(mean_ab: Floats, source: str, seed: int = 0) -> Floats:
    """The eight fixed tints (8, 2) of a set: k-means of its photos' mean ab (K, 2).

    Args:
        mean_ab: (K, 2), preferably of the train split, which the model knows too.
        source: What they were taken from, named where there are too few.
        seed: Of k-means.

    Raises:
        EvaluationError: There are fewer colour photos than tints.
    """
    if len(mean_ab) < NUM_TINTS:
        raise EvaluationError(
            f"{source}: {len(mean_ab)} colour photos are too few for {NUM_TINTS} fixed tints"
        )
    return metrics.fixed_tints(mean_ab, NUM_TINTS, seed)
