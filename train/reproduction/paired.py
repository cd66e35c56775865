"""Rows of a table beside the one that they depart from, on the same photos.

Called by the ablations: each row's means with 95 % intervals, and the paired differences from the
row that is named the reference, whose intervals are much narrower than the two rows' own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.evaluation.bootstrap import interval, mean_resamples

Values = Mapping[str, Sequence[float]]
"""{figure: its value for each photo}."""


def compared(
    rows: Mapping[str, Values],
    reference: str,
    *,
    seed: int = 0,
    truths: Values | None = None,
) -> dict[str, Any]:
    """Means, intervals and paired differences of each row, for JSON.

    Args:
        rows: {row: values}; a row may have the first of the photos alone and is then compared on
            those, or lack figures.
        reference: the row that differences are taken from.
        seed: of the draws of photos.
        truths: the true photos' values of figures that are told as a share of theirs: a ratio of
            sums over photos.

    Returns:
        {row: {"num_photos": n, "figures": {figure: {"mean", "interval", and beside the reference
        "difference", "difference_interval"}}}}.
    """
    found: dict[str, Any] = {}
    for row, values in rows.items():
        figures = {}
        for name, each in values.items():
            own = np.asarray(each, np.float64)
            other = np.asarray(rows[reference][name][: len(own)], np.float64)
            share = np.ones(len(own))
            if truths is not None and name in truths:
                share = np.asarray(truths[name][: len(own)], np.float64)
            figures[name] = _figure(own, other, share, seed)
            if row == reference:
                figures[name] = {key: figures[name][key] for key in ("mean", "interval")}
        found[row] = {"num_photos": len(own), "figures": figures}
    return found


def _figure(
    own: NDArray[np.float64], other: NDArray[np.float64], share: NDArray[np.float64], seed: int
) -> dict[str, Any]:
    """One figure of a row (photos,), and its difference from the reference, over `share`."""
    drawn = mean_resamples(np.column_stack([own, own - other, share]), seed)
    mean, difference = own.mean() / share.mean(), (own - other).mean() / share.mean()
    return {
        "mean": _short(mean),
        "interval": [_short(end) for end in interval(drawn[:, 0] / drawn[:, 2])],
        "difference": _short(difference),
        "difference_interval": [_short(end) for end in interval(drawn[:, 1] / drawn[:, 2])],
    }


def table(rows: Mapping[str, Any], heads: Mapping[str, str]) -> list[str]:
    """Lines of a Markdown table of what `compared` gave.

    The reference has its means with their intervals, every other row its means and, in brackets,
    the difference with its interval.

    Args:
        rows: from `compared`.
        heads: {figure: text over its column}.
    """
    lines = [
        "| | " + " | ".join([*heads.values(), "photos"]) + " |",
        "| --- |" + " ---: |" * (len(heads) + 1),
    ]
    for row, content in rows.items():
        figures = content["figures"]
        cells = [_cell(figures[name]) if name in figures else "" for name in heads]
        lines.append(f"| {row} | " + " | ".join([*cells, str(content["num_photos"])]) + " |")
    return lines


def _cell(figure: Mapping[str, Any]) -> str:
    if "difference" not in figure:
        low, high = figure["interval"]
        return f"{figure['mean']:.4g} [{low:.4g}, {high:.4g}]"
    low, high = figure["difference_interval"]
    return f"{figure['mean']:.4g} ({figure['difference']:+.2g}, {low:+.2g} to {high:+.2g})"


def _short(value: float) -> float:
    return float(f"{value:.6g}")
