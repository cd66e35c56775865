"""Revealed points: how well a few true colours spread, beside Levin's method and the bounds.

The protocol of the paper's Table 3: at 256 x 256, 7 x 7 patches of a photo show their mean ab,
their places drawn from N(centre, side / 4) and clipped; the colours are spread, and PSNR on 8-bit
RGB tells how near they come. `train.evaluate` runs it on an exported model, `train.hoc` on a
network in training: the core asks for functions only.

Source: Messaoud et al. 2018, section 4.2; Zhang et al. 2017 for the points.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from huefield import lab, metrics, upsample
from huefield.gcrf import Kernel, Weights, open_solver
from huefield.hints import hint_map
from huefield.strokes import Constraints
from train.baselines import levin
from train.evaluation.photos import EvaluationError, SquarePhoto

Floats = NDArray[np.float32]

COUNTS = (1, 10, 50, 100)
PATCH = 7
LEVIN = "Levin 2004"
PLAIN = "G-CRF, points alone"
WITH_PRIOR = "G-CRF, prior from the samples"
WITH_HINTS = "G-CRF, prior from the hints network"
HINTS_ALONE = "hints network, no G-CRF"


@dataclass(frozen=True)
class Revealed:
    """Points of one photo: the same for every method.

    Attributes:
        known: (H, W) true where a patch shows its colour.
        colors: (H, W, 2) float32 ab of the patches, 0 elsewhere.
    """

    known: NDArray[np.bool_]
    colors: Floats

    def on_grid(self, grid: tuple[int, int]) -> Constraints:
        """Constraints on grid cells: weight = share of the cell that is known."""
        share = upsample.grid_lightness(self.known.astype(np.float32), grid).reshape(-1)
        cells = np.flatnonzero(share > 1e-6)
        total = upsample.grid_ab(self.colors, grid).reshape(-1, 2)
        targets = (total[cells] / share[cells, None]).astype(np.float32)
        return Constraints.of_cells(cells, targets, share.size, share[cells])


Method = Callable[[SquarePhoto, Sequence[Revealed]], list[Floats]]
"""ab (H, W, 2) for each set of points of a photo."""

EmbedFn = Callable[[Floats], Floats]
"""Embedding (D, h, w) of a scaled gray grid (h, w), as `Networks.embed`."""

FieldsFn = Callable[[Floats], Floats]
"""Candidate colour fields (n, h, w, 2), ab units, of a scaled gray grid (h, w)."""

HintedFn = Callable[[Floats, Floats], Floats]
"""Colours (n, 2, h, w) of a scaled gray grid and hints (n, 3, h, w), as `Networks.hinted`."""


def reveal(ab: Floats, counts: Sequence[int], seed: int) -> list[Revealed]:
    """Points for each count; those of a smaller count are among those of a larger one.

    Args:
        ab: (H, W, 2) true colours, sides at least `PATCH`.
        counts: Numbers of patches, ascending.
        seed: Of their places.
    """
    height, width = ab.shape[:2]
    half = PATCH // 2
    random = np.random.default_rng(seed)
    offsets = random.standard_normal((counts[-1], 2))
    sides = np.array([height, width])
    places = np.rint((sides - 1) / 2 + offsets * sides / 4).astype(int)
    places = np.clip(places, half, sides - 1 - half)
    known = np.zeros((height, width), bool)
    colors = np.zeros_like(ab)
    revealed = []
    for number, (y, x) in enumerate(places, start=1):
        patch = (slice(y - half, y + half + 1), slice(x - half, x + half + 1))
        known[patch] = True
        colors[patch] = ab[patch].mean(axis=(0, 1))
        if number in counts:
            revealed.append(Revealed(known.copy(), colors.copy()))
    return revealed


def spread_grey(photo: SquarePhoto, points: Sequence[Revealed]) -> list[Floats]:
    """No colour at all: the lower bound."""
    return [np.zeros_like(photo.ab) for _ in points]


def spread_mean(photo: SquarePhoto, points: Sequence[Revealed]) -> list[Floats]:
    """The true mean colour everywhere: what the best tint of one colour would get."""
    mean = photo.ab.mean(axis=(0, 1))
    return [np.broadcast_to(mean, photo.ab.shape) for _ in points]


def spread_truth(
    photo: SquarePhoto, points: Sequence[Revealed], grid: tuple[int, int]
) -> list[Floats]:
    """The true colours through the grid and back: the ceiling of whatever works on that grid."""
    ab = upsample.upsample(upsample.grid_ab(photo.ab, grid), photo.lightness)
    return [ab for _ in points]


def spread_levin(photo: SquarePhoto, points: Sequence[Revealed]) -> list[Floats]:
    """Levin, Lischinski, Weiss 2004, at full size."""
    return [levin.colorize(photo.lightness, p.known, p.colors) for p in points]


@dataclass(frozen=True)
class GcrfSpread:
    """Our method: a correction of a prior field through the G-CRF on the grid, then upsampled.

    Without `fields` the prior is the mean revealed colour everywhere: rows of S sum to 1, so a
    constant may be taken off and put back, and the weak pull to it only keeps Eq. 6 solvable. This
    is the paper's form, which has no unary. With them, the candidate that agrees best with the
    points is corrected. With `hinted`, what the hints network makes of the points is corrected too.

    Attributes:
        embed: Embedding of the gray grid.
        grid: (h, w).
        fields: Candidates of the prior, if any.
        kernel: How S is made of the embedding.
        beta: Pull of a revealed cell; the paper's 5 by default.
        beta_prior: Pull of the correction to 0.
        hinted: The hints network, if there is one.
        beta_hints: Pull of the correction to 0 where the prior is the hints network's.
    """

    embed: EmbedFn
    grid: tuple[int, int]
    fields: FieldsFn | None = None
    kernel: Kernel = field(default_factory=Kernel)
    beta: float = 5.0
    beta_prior: float = 1e-4
    hinted: HintedFn | None = None
    beta_hints: float = 0.05

    def spread(self, photo: SquarePhoto, points: Sequence[Revealed]) -> dict[str, list[Floats]]:
        """Fields of the form without a prior and, where there are candidates, of that with one."""
        gray = lab.scale_gray(upsample.grid_lightness(photo.lightness, self.grid))
        embedding = self.embed(gray)
        if embedding.shape[1:] != self.grid:
            raise ValueError(f"expected an embedding on {self.grid}, got {embedding.shape}")
        weights = Weights(beta_edit=self.beta, beta_prior=self.beta_prior)
        solver = open_solver(embedding.reshape(len(embedding), -1), self.kernel, weights)
        constraints = [p.on_grid(self.grid) for p in points]
        priors = {PLAIN: [mean_field(c, gray.size) for c in constraints]}
        if self.fields is not None:
            candidates = self.fields(gray).reshape(-1, gray.size, 2)
            priors[WITH_PRIOR] = [candidates[[nearest(candidates, c)]] for c in constraints]
        fields = {
            name: [
                solver.correct(prior, constraint)
                for prior, constraint in zip(chosen, constraints, strict=True)
            ]
            for name, chosen in priors.items()
        }
        if self.hinted is not None:
            maps = [hint_map(c, c.targets[None], self.grid)[0] for c in constraints]
            colours = self.hinted(gray, np.stack(maps)).reshape(len(maps), 2, -1)
            hinted = [field.T[None] * np.float32(lab.AB_SCALE) for field in colours]
            weights = Weights(beta_edit=self.beta, beta_prior=self.beta_hints)
            solver = open_solver(embedding.reshape(len(embedding), -1), self.kernel, weights)
            fields[HINTS_ALONE] = hinted
            fields[WITH_HINTS] = [
                solver.correct(prior, constraint)
                for prior, constraint in zip(hinted, constraints, strict=True)
            ]
        return {
            name: [upsample.upsample(x.reshape(*self.grid, 2), photo.lightness) for x in found]
            for name, found in fields.items()
        }


def mean_field(constraints: Constraints, num_pixels: int) -> Floats:
    """The weighted mean of the revealed colours on every pixel, (1, P, 2)."""
    mean = np.average(constraints.targets, axis=0, weights=constraints.weights)
    return np.broadcast_to(mean.astype(np.float32), (1, num_pixels, 2)).copy()


def nearest(candidates: Floats, constraints: Constraints) -> int:
    """Index of the candidate (n, P, 2) that is nearest to the constraints' targets."""
    cells = constraints.rows.indices
    distance = np.linalg.norm(candidates[:, cells] - constraints.targets, axis=2)  # (n, k)
    return int((distance @ constraints.weights).argmin())


@dataclass(frozen=True)
class PointsTable:
    """PSNR of each method.

    Attributes:
        counts: Numbers of revealed points, the columns.
        psnr: Per method (K, len(counts)) dB, one row a photo.
    """

    counts: tuple[int, ...]
    psnr: Mapping[str, NDArray[np.float64]]

    def mean(self, method: str) -> NDArray[np.float64]:
        """Mean over photos (len(counts),) in dB."""
        return np.asarray(self.psnr[method].mean(axis=0))

    def margins(self, method: str, over: str = LEVIN) -> NDArray[np.float64]:
        """Mean difference over photos (len(counts),) in dB."""
        return self.mean(method) - self.mean(over)

    def to_json(self) -> dict[str, object]:
        """Means and margins, keyed by method."""
        rows: dict[str, object] = {}
        for name, values in self.psnr.items():
            row = {"psnr": [round(float(v), 3) for v in self.mean(name)]}
            if LEVIN in self.psnr:
                row["over_levin"] = [round(float(v), 3) for v in self.margins(name)]
                wins = (values > self.psnr[LEVIN]).mean(axis=0)
                row["share_above_levin"] = [round(float(v), 3) for v in wins]
            rows[name] = row
        num_photos = len(next(iter(self.psnr.values())))
        return {"counts": list(self.counts), "num_photos": num_photos, "methods": rows}

    def to_markdown(self) -> str:
        """A table of means, with the margin over Levin in brackets."""
        lines = [
            "| PSNR in dB (over Levin) | " + " | ".join(f"{c} points" for c in self.counts) + " |",
            "| --- |" + " ---: |" * len(self.counts),
        ]
        for name in self.psnr:
            cells = [f"{value:.2f}" for value in self.mean(name)]
            if LEVIN in self.psnr and name != LEVIN:
                margins = self.margins(name)
                cells = [f"{c} ({m:+.2f})" for c, m in zip(cells, margins, strict=True)]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
        return "\n".join(lines)


def score(photo: SquarePhoto, fields: Sequence[Floats]) -> list[float]:
    """PSNR of each field (H, W, 2) rendered with the photo's own L."""
    return [metrics.psnr(lab.render_rgb8(photo.lightness, ab), photo.rgb) for ab in fields]


def measure_baselines(
    photo: SquarePhoto, seed: int, counts: Sequence[int], grid: tuple[int, int]
) -> dict[str, list[float]]:
    """PSNR per count of the bounds and of Levin's method on one photo."""
    points = reveal(photo.ab, counts, seed)
    methods: dict[str, Method] = {
        "grey": spread_grey,
        "true mean colour": spread_mean,
        "true colours through the grid": partial(spread_truth, grid=grid),
        LEVIN: spread_levin,
    }
    return {name: score(photo, method(photo, points)) for name, method in methods.items()}


def points_table(
    photos: Sequence[SquarePhoto],
    embed: EmbedFn | None = None,
    *,
    fields: FieldsFn | None = None,
    others: Mapping[str, Method] | None = None,
    kernel: Kernel | None = None,
    beta: float = 5.0,
    beta_prior: float = 1e-4,
    hinted: HintedFn | None = None,
    beta_hints: float = 0.05,
    counts: Sequence[int] = COUNTS,
    seed: int = 0,
    grid_area: int = 4096,
    baselines: bool = True,
    processes: int = 1,
    progress: bool = True,
) -> PointsTable:
    """PSNR at each number of revealed points, all methods on identical points.

    Args:
        photos: Squares, all of one size (256 in the paper's protocol).
        embed: Embedding for our method; None measures the baselines alone.
        fields: Candidates for the form with a prior; None leaves it out.
        others: Further methods by name.
        kernel: How S is made of the embedding.
        beta: Pull of a revealed cell.
        beta_prior: Pull of the correction to 0.
        hinted: The hints network; None leaves the forms with it out.
        beta_hints: Pull of the correction to 0 where the prior is the hints network's.
        counts: Numbers of points.
        seed: Photo k draws its points from (seed, k).
        grid_area: About how many cells the working grid has.
        baselines: Whether grey, mean colour, ceiling and Levin are measured; a stage that knows
            them from its first epoch leaves them out.
        processes: Processes that share the baselines' photos.
        progress: Whether a progress bar is drawn.

    Raises:
        EvaluationError: There is no photo, or no method.
    """
    if not photos:
        raise EvaluationError("no photos to reveal points of")
    if embed is None and not others and not baselines:
        raise EvaluationError("no method to measure: neither ours nor a baseline was asked for")
    counts = tuple(sorted(counts))
    grid = upsample.grid_shape(*photos[0].lightness.shape, area=grid_area)
    ours = None
    if embed:
        ours = GcrfSpread(
            embed, grid, fields, kernel or Kernel(), beta, beta_prior, hinted, beta_hints
        )
    seeds = [
        int(np.random.SeedSequence([seed, k]).generate_state(1)[0]) for k in range(len(photos))
    ]
    rows: list[dict[str, list[float]]] = [{} for _ in photos]
    if baselines:
        measure = partial(measure_baselines, counts=counts, grid=grid)
        bar = partial(tqdm, total=len(photos), desc="baselines", unit="photo", disable=not progress)
        if processes > 1:
            with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
                for row, found in zip(rows, bar(pool.map(measure, photos, seeds)), strict=True):
                    row.update(found)
        else:
            for row, found in zip(rows, bar(map(measure, photos, seeds)), strict=True):
                row.update(found)
    asked = list(zip(rows, photos, seeds, strict=True))
    if ours is None and not others:
        asked = []
    for row, photo, own_seed in tqdm(asked, desc="points", unit="photo", disable=not progress):
        points = reveal(photo.ab, counts, own_seed)
        results = ours.spread(photo, points) if ours else {}
        results |= {name: method(photo, points) for name, method in (others or {}).items()}
        row.update({name: score(photo, found) for name, found in results.items()})
    return PointsTable(counts, {name: np.array([row[name] for row in rows]) for name in rows[0]})
