"""Revealed points: how well a few true colours spread, all methods on the same photos and points.

The paper's Table 3 and its curve. `revealed` has the protocol, `spreading` our method,
`train.baselines.interactive` the earlier ones. Called by `train.evaluate`.

Source: Messaoud et al. 2018, section 4.2, Table 3 and Figure 4.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from tqdm import tqdm

from train.evaluation.bootstrap import mean_interval
from train.evaluation.measured import Measured
from train.evaluation.photos import EvaluationError, SquarePhoto
from train.evaluation.revealed import COUNTS, Spread, points_seed, reveal, score

Doubles = NDArray[np.float64]
LEVIN = "Levin 2004"


@dataclass(frozen=True)
class PointsMethod:
    """A row of the table.

    Attributes:
        name: As the table shows it.
        spread: What it makes of points.
        settings: What decides its fields beside photo and points, for figures that are kept.
        ours: Whether the margins of this row over the others are told.
        alone: Whether it runs in this process only, because it cannot be sent to others.
    """

    name: str
    spread: Spread
    settings: str = ""
    ours: bool = False
    alone: bool = False


@dataclass(frozen=True)
class PointsTable:
    """PSNR of each method.

    Attributes:
        counts: Numbers of revealed points, the columns.
        psnr: Per method (K, len(counts)) dB, one row a photo.
        seconds: Per method (K,), of all counts of a photo together.
        ours: The methods whose margins over the others are told.
    """

    counts: tuple[int, ...]
    psnr: Mapping[str, Doubles]
    seconds: Mapping[str, Doubles] = field(default_factory=dict)
    ours: tuple[str, ...] = ()

    def mean(self, method: str) -> Doubles:
        """Mean over photos (len(counts),) in dB."""
        return np.asarray(self.psnr[method].mean(axis=0))

    def margins(self, method: str, over: str = LEVIN) -> Doubles:
        """Mean difference over photos (len(counts),) in dB."""
        return self.mean(method) - self.mean(over)

    def to_json(self) -> dict[str, object]:
        """Means with intervals, seconds a colouring, and paired margins of ours."""
        methods: dict[str, object] = {}
        for name, values in self.psnr.items():
            row = {"psnr": _rounded(self.mean(name)), "interval": _interval(values)}
            if LEVIN in self.psnr:
                row["over_levin"] = _rounded(self.margins(name))
                row["share_above_levin"] = _rounded((values > self.psnr[LEVIN]).mean(axis=0))
            if name in self.seconds:
                row["seconds"] = [round(float(self.seconds[name].mean()) / len(self.counts), 3)]
            methods[name] = row
        margins = {
            name: {
                other: {
                    "margin": _rounded(self.margins(name, other)),
                    "interval": _interval(self.psnr[name] - self.psnr[other]),
                }
                for other in self.psnr
                if other != name
            }
            for name in self.ours
        }
        num_photos = len(next(iter(self.psnr.values())))
        counts = list(self.counts)
        return {"counts": counts, "num_photos": num_photos, "methods": methods, "margins": margins}

    def to_markdown(self) -> str:
        """As `points_markdown`."""
        return points_markdown(self.to_json())

    def write_curve(self, path: Path) -> None:
        """Writes PSNR over the number of points, a line a method with its interval, as PNG.

        The file is written as a whole or not at all.
        """
        figure = Figure(figsize=(8, 5), layout="tight")
        axis = figure.add_subplot()
        for name in self.psnr:
            low, high = mean_interval(self.psnr[name])
            mean = self.mean(name)
            style = "-" if name in self.ours else "--"
            errors = np.stack([mean - low, high - mean])
            axis.errorbar(
                self.counts, mean, np.maximum(errors, 0.0), marker=".", ls=style, label=name
            )
        axis.set_xscale("log")
        axis.set_xticks(self.counts, [str(c) for c in self.counts])
        axis.set_xlabel("revealed points")
        axis.set_ylabel("PSNR in dB")
        axis.legend(fontsize="small")
        temporary = path.with_name(f".{path.name}")
        try:
            figure.savefig(temporary, dpi=100)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def points_markdown(table: Mapping[str, Any]) -> str:
    """Means with half the interval's width, seconds, and the paired margins of ours.

    Args:
        table: of `PointsTable.to_json`.
    """
    heads = [f"{c} point{'s' * (c > 1)}" for c in table["counts"]]
    lines = [
        "PSNR in dB, mean over photos and half the width of its 95 % interval:",
        "",
        "| | " + " | ".join([*heads, "seconds"]) + " |",
        "| --- |" + " ---: |" * (len(heads) + 1),
    ]
    for name, row in table["methods"].items():
        ends = zip(row["psnr"], row["interval"], strict=True)
        cells = [f"{value:.2f} ± {(high - low) / 2:.2f}" for value, (low, high) in ends]
        cells += [f"{seconds:.2f}" for seconds in row.get("seconds", [])] or [""]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    for name, others in table["margins"].items():
        lines += [
            "",
            f"{name}, margin in dB over each method on the same photos, 95 % interval:",
            "",
            "| over | " + " | ".join(heads) + " |",
            "| --- |" + " ---: |" * len(heads),
        ]
        for other, row in others.items():
            ends = zip(row["margin"], row["interval"], strict=True)
            cells = [f"{m:+.2f} ({a:+.2f} to {b:+.2f})" for m, (a, b) in ends]
            lines.append(f"| {other} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _rounded(values: Doubles) -> list[float]:
    return [round(float(v), 3) for v in values]


def _interval(values: Doubles) -> list[list[float]]:
    """[low, high] for each column."""
    return [_rounded(np.array(ends)) for ends in zip(*mean_interval(values), strict=True)]


def measure(
    photo: SquarePhoto, seed: int, spread: Spread, counts: Sequence[int]
) -> tuple[list[float], float]:
    """PSNR per count of one method on one photo, and the seconds that it took."""
    points = reveal(photo.ab, counts, seed)
    start = time.perf_counter()
    fields = spread(photo, points)
    seconds = time.perf_counter() - start
    return score(photo, fields), seconds


def points_table(
    photos: Sequence[SquarePhoto],
    methods: Sequence[PointsMethod],
    *,
    counts: Sequence[int] = COUNTS,
    seed: int = 0,
    kept: Path | None = None,
    processes: int = 1,
    progress: bool = True,
) -> PointsTable:
    """PSNR at each number of revealed points, all methods on identical points.

    Args:
        photos: Squares, all of one size (256 in the paper's protocol).
        methods: The rows.
        counts: Numbers of points.
        seed: Photo k draws its points from (seed, k).
        kept: File that gets each figure as it is measured; what it has already is not measured
            again, provided that photo, points and the method's settings are the same.
        processes: Processes that share the methods that can be sent to them.
        progress: Whether a progress bar is drawn.

    Raises:
        EvaluationError: There is no photo, or no method, or a method has a name twice.
    """
    if not photos:
        raise EvaluationError("no photos to reveal points of")
    if not methods:
        raise EvaluationError("no method to measure: neither ours nor an earlier one was asked for")
    if len({method.name for method in methods}) < len(methods):
        raise EvaluationError(f"a method is asked for twice: {[m.name for m in methods]}")
    counts = tuple(sorted(counts))
    with Measured(kept, f"{list(counts)} {seed} {photos[0].lightness.shape}") as measured:
        todo = [
            (k, method)
            for k, photo in enumerate(photos)
            for method in methods
            if measured.get(k, photo, method.name, method.settings) is None
        ]
        shared = [(k, method) for k, method in todo if processes > 1 and not method.alone]
        alone = [(k, method) for k, method in todo if processes == 1 or method.alone]
        with tqdm(total=len(todo), desc="points", disable=not progress) as bar:

            def keep(k: int, method: PointsMethod, found: tuple[list[float], float]) -> None:
                measured.put(k, photos[k], method.name, method.settings, found)
                bar.update()

            if shared:
                with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
                    results = pool.map(
                        partial(measure, counts=counts),
                        [photos[k] for k, _ in shared],
                        [points_seed(seed, k) for k, _ in shared],
                        [method.spread for _, method in shared],
                    )
                    for (k, method), found in zip(shared, results, strict=True):
                        keep(k, method, found)
            for k, method in alone:
                keep(k, method, measure(photos[k], points_seed(seed, k), method.spread, counts))
        rows = {
            m.name: [measured.require(k, p, m.name, m.settings) for k, p in enumerate(photos)]
            for m in methods
        }
    return PointsTable(
        counts,
        {name: np.array([psnr for psnr, _ in found]) for name, found in rows.items()},
        {name: np.array([seconds for _, seconds in found]) for name, found in rows.items()},
        tuple(method.name for method in methods if method.ours),
    )
