"""The page that leads to the parts of the results, and what they cost. Called by `train.reproduce`.

Hours are counted over all calls, also those that were interrupted; a call that had nothing to do
counts for nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from train.reproduction.effort import write_text

HOURS_FILE = "hours.json"


@contextmanager
def counted(part: str, runs: Path, result: Path) -> Iterator[None]:
    """Adds the processor time of what happens within to the part's, unless its result stays.

    Args:
        part: its name.
        runs: folder that keeps the hours.
        result: the part's file.
    """
    before = result.read_bytes() if result.exists() else None
    began = _processor_hours()
    try:
        yield
    finally:
        if before is None or not result.exists() or result.read_bytes() != before:
            hours = read_hours(runs)
            hours[part] = hours.get(part, 0.0) + _processor_hours() - began
            write_text(runs / HOURS_FILE, json.dumps(hours, indent=1) + "\n")


def read_hours(runs: Path) -> dict[str, float]:
    """Hours of processor time by part, as far as they were counted."""
    path = runs / HOURS_FILE
    hours: dict[str, float] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return hours


def write_index(out: Path, runs: Path, parts: Sequence[str]) -> None:
    """Writes `README.md`, a line for each part whose results are there.

    Args:
        out: folder of the results.
        runs: folder that keeps the hours.
        parts: all names, in their order.
    """
    hours = read_hours(runs)
    lines = [
        "# Results",
        "",
        "Made by `python -m train.reproduce`.",
        "",
        "| part | preset | minutes a method | seed | CPU hours | figures |",
        "| --- | --- | ---: | ---: | ---: | --- |",
    ]
    for part in parts:
        path = out / f"{part}.json"
        if not path.exists():
            continue
        results = json.loads(path.read_text(encoding="utf-8"))
        spent = f"{hours[part]:.2f}" if part in hours else ""
        lines.append(
            f"| [{part}]({part}.md) | {results['preset']} | {results['minutes']:g} | "
            f"{results['seed']} | {spent} | [JSON]({part}.json) |"
        )
    lines += [
        "",
        "Minutes are of one core, for each method that is trained, on each set. CPU hours are "
        "measured: processor time of all cores, training and measuring. GPU hours: not measured.",
    ]
    write_text(out / "README.md", "\n".join(lines) + "\n")


def _processor_hours() -> float:
    """Processor time of this process and of those that it started and that ended."""
    times = os.times()
    return (times.user + times.system + times.children_user + times.children_system) / 3600.0
