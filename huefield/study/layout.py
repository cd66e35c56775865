"""What the pages of a report say, as plain tables of text: one layout for all formats.

A cell is text with the winning part marked by `Bold`; `report` turns that into Markdown, HTML and
LaTeX.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from huefield.study.analysis import fooling_rates

OVERALL = "all"


@dataclass(frozen=True)
class Bold:
    """A text that is set in bold."""

    text: str


Cell = tuple["str | Bold", ...]


@dataclass(frozen=True)
class Sheet:
    """One table: a title, the heads of its columns, its rows, and a line of explanation."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


def plain(text: str) -> Cell:
    """A cell without bold parts."""
    return (text,)


def table_one(part: dict[str, Any]) -> Sheet:
    """The paper's Table 1: per dataset and pair, the percentages won; the winner in bold."""
    pairs = list(dict.fromkeys((row["first"], row["second"]) for row in part["table"]))
    datasets = list(dict.fromkeys(_dataset(row) for row in part["table"]))
    datasets.sort(key=lambda name: name == OVERALL)
    found = {(_dataset(row), row["first"], row["second"]): row for row in part["table"]}
    rows = []
    for dataset in datasets:
        cells: list[Cell] = [plain(dataset)]
        for pair in pairs:
            row = found.get((dataset, *pair))
            cells.append(plain("–") if row is None else _won(row))
        rows.append(tuple(cells))
    return Sheet(
        title="Percent won",
        head=("", *(f"{first} vs {second}" for first, second in pairs)),
        rows=tuple(rows),
        note="Of each pair, the first number is the share won by the method named first. Bold: "
        "the winner.",
    )


def detail_sheet(part: dict[str, Any]) -> Sheet:
    """Every share with n, intervals and p."""
    rows = [
        (
            plain(_dataset(row)),
            plain(f"{row['first']} vs {row['second']}"),
            plain(str(row["n"])),
            plain(str(row["undecided"])),
            plain(percent(row["share"])),
            plain(_range(row["wilson"])),
            plain(_range(row["by_person"])),
            plain(_range(row["by_photo"])),
            plain(_range(row["by_both"])),
            plain(_p(row["binomial_p"])),
        )
        for row in part["table"]
    ]
    return Sheet(
        title="Shares and intervals",
        head=(
            *("dataset", "pair", "n", "undecided", "won, %", "Wilson 95 %", "by person 95 %"),
            *("by photo 95 %", "by both 95 %", "binomial p"),
        ),
        rows=tuple(rows),
        note="Wilson's interval and p take every vote as independent; the others draw whole "
        "people or photos anew; the last lets both vary.",
    )


def strength_sheet(part: dict[str, Any]) -> Sheet:
    """Bradley–Terry strengths with their intervals."""
    rows = [
        (
            plain(_dataset(group)),
            plain(row["method"]),
            plain(_number(row["strength"])),
            plain(_range(row["interval"], factor=1.0)),
        )
        for group in part["strengths"]
        for row in group["methods"]
    ]
    return Sheet(
        title="Bradley–Terry strengths",
        head=("dataset", "method", "strength", "by person 95 %"),
        rows=tuple(rows),
        note="A difference of 1 means that the stronger one wins 73 of 100 comparisons.",
    )


def fooling_sheet(part: dict[str, Any]) -> Sheet:
    """Of "real-or-fake": how often a method was taken for real."""
    rows = [
        (
            plain(_dataset(row)),
            plain(row["method"]),
            plain(str(row["n"])),
            plain(percent(row["rate"])),
            plain(_range(_mirrored(row["wilson"]))),
            plain(_range(_mirrored(row["by_person"]))),
        )
        for row in fooling_rates(part)
    ]
    return Sheet(
        title="Taken for real",
        head=("dataset", "method", "n", "fooled, %", "Wilson 95 %", "by person 95 %"),
        rows=tuple(rows),
        note="How often the true photo was called the fake; 50 % would be perfect colours.",
    )


def quality_sheet(document: dict[str, Any]) -> Sheet:
    """People, checks, repeats and times, filtered and all."""
    parts = [document["filtered"], document["all"]]

    def row(name: str, values: Sequence[str]) -> tuple[Cell, ...]:
        return (plain(name), *(plain(value) for value in values))

    return Sheet(
        title="Quality",
        head=("", "filtered", "all"),
        rows=(
            row("people with votes", [str(part["persons"]) for part in parts]),
            row("judged trials", [str(part["votes"]) for part in parts]),
            row(
                "attention checks passed",
                [f"{part['checks']['passed']} of {part['checks']['answered']}" for part in parts],
            ),
            row(
                "repeats answered as before",
                [f"{part['repeats']['same']} of {part['repeats']['answered']}" for part in parts],
            ),
            row(
                "Krippendorff's alpha on repeats",
                [_number(part["repeats"]["alpha"]) for part in parts],
            ),
            row(
                "response time, quartiles in s",
                [
                    " / ".join(f"{q / 1000:.2f}" for q in part["times"]["quartiles"]) or "–"
                    for part in parts
                ],
            ),
        ),
    )


def exclusion_sheet(document: dict[str, Any]) -> Sheet:
    """Everybody who was left out, and why."""
    rows = [
        (
            plain(person["participant"]),
            plain(", ".join(person["reasons"])),
            plain(str(person["answers"])),
            plain(percent(person["fast_share"])),
            plain(percent(person["check_accuracy"])),
            plain(percent(person["one_side_share"])),
            plain(percent(person["repeat_consistency"])),
        )
        for person in document["exclusions"]
    ]
    return Sheet(
        title="Exclusions",
        head=(
            *("participant", "because of", "answers", "fast, %", "checks passed, %"),
            *("one side, %", "repeats as before, %"),
        ),
        rows=tuple(rows),
        note=_filters(document["study"]["filters"]),
    )


def percent(share: float | None) -> str:
    """A share as percent with two decimals."""
    return "–" if share is None else f"{100 * share:.2f}"


def _won(row: dict[str, Any]) -> Cell:
    """Both shares, the larger one in bold."""
    if row["share"] is None:
        return plain("–")
    first, second = percent(row["share"]), percent(1 - row["share"])
    if 2 * row["wins"] == row["n"]:
        return plain(f"{first} : {second}")
    if 2 * row["wins"] > row["n"]:
        return (Bold(first), f" : {second}")
    return (f"{first} : ", Bold(second))


def _dataset(row: dict[str, Any]) -> str:
    return OVERALL if row["dataset"] is None else str(row["dataset"])


def _range(interval: Sequence[float | None], factor: float = 100.0) -> str:
    low, high = interval
    if low is None or high is None:
        return "–"
    return f"{factor * low:.2f} to {factor * high:.2f}"


def _mirrored(interval: Sequence[float | None]) -> list[float | None]:
    low, high = interval
    return [None if high is None else 1 - high, None if low is None else 1 - low]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _p(value: float | None) -> str:
    if value is None:
        return "–"
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"


def _filters(filters: dict[str, Any]) -> str:
    return (
        f"Declared before opening: answers under {filters['fastest_ms']} ms are fast; left out are "
        f"people with more than {percent(filters['fast_share'])} % fast answers, less than "
        f"{percent(filters['check_accuracy'])} % of attention checks passed, more than "
        f"{percent(filters['one_side_share'])} % of answers on one side, or less than "
        f"{percent(filters['repeat_consistency'])} % of repeats answered as before."
    )
