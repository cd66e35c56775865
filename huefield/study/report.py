"""A study's report in four formats, made from an export and nothing else.

`write_report` gives report.html (with plots), report.md, report.json and report.tex; the same
export gives the same bytes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from huefield.study.analysis import analyse
from huefield.study.export import StudyExport
from huefield.study.layout import (
    OVERALL,
    Bold,
    Cell,
    Sheet,
    detail_sheet,
    exclusion_sheet,
    fooling_sheet,
    quality_sheet,
    strength_sheet,
    table_one,
)
from huefield.study.plots import histogram, interval_plot, line_plot

_STYLE = """\
body { max-width: 1240px; margin: 40px auto; padding: 0 20px; color: #1c1c1c; background: #fafafa;
  font: 16px/1.5 system-ui, sans-serif; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 44px; }
table { border-collapse: collapse; margin: 12px 0; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 10px; border-bottom: 1px solid #d6d6d6; text-align: left;
  white-space: nowrap; }
.scroll { overflow-x: auto; } .note, .hash { color: #565656; font-size: 14px; }
.hash { overflow-wrap: anywhere; } svg { width: 680px; max-width: 100%; height: auto; }
"""
_Interval = tuple[float | None, float | None]
_LATEX = {
    **{c: "\\" + c for c in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "–": "--",
}


def report_files(export: StudyExport) -> dict[str, bytes]:
    """The files of a report by name."""
    document = analyse(export)
    return {
        "report.html": _html(document).encode(),
        "report.md": _markdown(document).encode(),
        "report.json": (
            json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True, allow_nan=False)
            + "\n"
        ).encode(),
        "report.tex": _latex(document).encode(),
    }


def write_report(export: StudyExport, folder: Path) -> None:
    """Write the files of a report into a folder, which is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in report_files(export).items():
        (folder / name).write_bytes(data)


def _sheets(document: dict[str, Any]) -> Iterator[tuple[str, list[Sheet]]]:
    """The sections of a report with their tables."""
    fooling = document["study"]["protocol"] == "real-or-fake"
    for name, key in (("Filtered", "filtered"), ("All votes", "all")):
        part = document[key]
        sheets = [table_one(part), detail_sheet(part), strength_sheet(part)]
        if fooling:
            sheets.insert(0, fooling_sheet(part))
        yield name, sheets
    yield "Quality and exclusions", [quality_sheet(document), exclusion_sheet(document)]


def _lead(document: dict[str, Any]) -> str:
    people = document["people"]
    study = document["study"]
    return (
        f"Study {study['name']}, version {study['version']}, protocol {study['protocol']}: "
        f"{people['consented']} people consented, {people['finished']} finished, "
        f"{people['voted']} voted, {people['excluded']} are excluded; "
        f"{document['filtered']['votes']} judged trials are kept of {document['all']['votes']}."
    )


def _markdown(document: dict[str, Any]) -> str:
    def cell(content: Cell) -> str:
        parts = [f"**{part.text}**" if isinstance(part, Bold) else part for part in content]
        return "".join(parts).replace("|", "\\|")

    lines = [f"# {document['study']['title']}", "", _lead(document), ""]
    lines += [f"Definition: SHA-256 `{document['study']['hash']}`", ""]
    for name, sheets in _sheets(document):
        lines += [f"## {name}", ""]
        for sheet in sheets:
            lines += [f"### {sheet.title}", ""]
            if sheet.rows:
                lines.append("| " + " | ".join(sheet.head) + " |")
                lines.append("|" + " --- |" * len(sheet.head))
                lines += ["| " + " | ".join(map(cell, row)) + " |" for row in sheet.rows]
            else:
                lines.append("None.")
            lines += ["", sheet.note, ""] if sheet.note else [""]
    return "\n".join(lines).rstrip() + "\n"


def _html(document: dict[str, Any]) -> str:
    def cell(content: Cell) -> str:
        return "".join(
            f"<b>{escape(part.text)}</b>" if isinstance(part, Bold) else escape(part)
            for part in content
        )

    title = escape(document["study"]["title"])
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title><style>\n{_STYLE}</style></head><body>",
        f"<h1>{title}</h1>",
        f"<p>{escape(_lead(document))}</p>",
        f'<p class="hash">Definition: SHA-256 {document["study"]["hash"]}</p>',
    ]
    plots = {"Filtered": document["filtered"], "All votes": document["all"]}
    for name, sheets in _sheets(document):
        parts.append(f"<h2>{name}</h2>")
        for sheet in sheets:
            parts.append(f"<h3>{escape(sheet.title)}</h3>")
            if sheet.rows:
                head = "".join(f"<th>{escape(text)}</th>" for text in sheet.head)
                rows = "\n".join(
                    "<tr>" + "".join(f"<td>{cell(content)}</td>" for content in row) + "</tr>"
                    for row in sheet.rows
                )
                table = f"<table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table>"
                parts.append(f'<div class="scroll">{table}</div>')
            else:
                parts.append("<p>None.</p>")
            if sheet.note:
                parts.append(f'<p class="note">{escape(sheet.note)}</p>')
        if name in plots:
            parts += _plots(plots[name])
    parts.append("</body></html>")
    return "\n".join(parts) + "\n"


def _plots(part: dict[str, Any]) -> list[str]:
    shares = [
        (
            f"{row['first']} vs {row['second']}, {row['dataset'] or OVERALL}",
            None if row["share"] is None else 100 * row["share"],
            _scaled(row["by_person"], 100.0),
        )
        for row in part["table"]
    ]
    groups = [
        (
            f"{row['method']}, {group['dataset'] or OVERALL}",
            row["strength"],
            _scaled(row["interval"]),
        )
        for group in part["strengths"]
        for row in group["methods"]
    ]
    ends = [abs(end) for _, _, interval in groups for end in interval if end is not None]
    reach = math.ceil(2 * max([*ends, 0.5])) / 2
    times = part["times"]
    return [
        "<h3>Won by the first of each pair, with the interval by person</h3>",
        interval_plot(
            shares, low=0, high=100, middle=50, unit=" %", title="Shares won with intervals"
        ),
        "<h3>Strengths</h3>",
        interval_plot(
            groups, low=-reach, high=reach, middle=0, unit="", title="Strengths with intervals"
        ),
        "<h3>Response times</h3>",
        histogram(times["edges"], times["counts"], "Histogram of response times in seconds"),
        line_plot(
            [(place, value) for place, value in times["by_place"]],
            "Median response time by place in the plan",
        ),
    ]


def _scaled(interval: list[float | None], factor: float = 1.0) -> _Interval:
    low, high = interval
    return (None if low is None else factor * low, None if high is None else factor * high)


def _latex(document: dict[str, Any]) -> str:
    def cell(content: Cell) -> str:
        return "".join(
            rf"\textbf{{{_escaped(part.text)}}}" if isinstance(part, Bold) else _escaped(part)
            for part in content
        )

    lines = [f"% {_lead(document)}", f"% definition {document['study']['hash']}"]
    for name, sheets in _sheets(document):
        for sheet in sheets:
            if not sheet.rows:
                continue
            lines += [
                "",
                r"\begin{table}",
                rf"\caption{{{_escaped(sheet.title)} ({_escaped(name.lower())}).}}",
                r"\begin{tabular}{" + "l" * len(sheet.head) + "}",
                r"\hline",
                " & ".join(map(_escaped, sheet.head)) + r" \\",
                r"\hline",
                *(" & ".join(map(cell, row)) + r" \\" for row in sheet.rows),
                r"\hline",
                r"\end{tabular}",
                r"\end{table}",
            ]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in text).replace("< ", "$<$ ")
