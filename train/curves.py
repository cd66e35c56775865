"""A stage's curves: one row of figures a validation, as CSV and as a picture. Called by `loop`."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

COLUMNS = 4


def read_rows(path: Path, up_to: int) -> list[dict[str, float]]:
    """Returns the rows of a CSV up to a step, none where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as lines:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(lines)]
    return [row for row in rows if row["step"] <= up_to]


def write_rows(path: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Writes rows of figures, the first two "step" and "epoch", to PATH.csv."""
    names = _names(rows)
    temporary = path.with_suffix(".tmp.csv")
    with temporary.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, names, restval="nan")
        writer.writeheader()
        writer.writerows({name: f"{value:.6g}" for name, value in row.items()} for row in rows)
    temporary.replace(path.with_suffix(".csv"))


def draw_curves(path: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Draws each figure of the rows over epochs, to PATH.png."""
    drawn = [name for name in _names(rows) if name not in ("step", "epoch")]
    height = -(-len(drawn) // COLUMNS)
    figure = Figure(figsize=(14, 2.6 * height), layout="tight")
    for place, name in enumerate(drawn, start=1):
        axis = figure.add_subplot(height, COLUMNS, place)
        known = [row for row in rows if name in row]
        axis.plot([row["epoch"] for row in known], [row[name] for row in known], marker=".")
        axis.set_title(name)
    temporary = path.with_suffix(".tmp.png")
    figure.savefig(temporary, dpi=70)
    temporary.replace(path.with_suffix(".png"))


def _names(rows: Sequence[Mapping[str, float]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))
