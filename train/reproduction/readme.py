"""The tables of the project's README, made of the results' JSON.

Called by `train.reproduce` after its parts, where the README has marks for them; a test compares
what the README holds with what this makes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from train.evaluation.contenders import HINTED, OURS
from train.evaluation.points import LEVIN
from train.reproduction.effort import write_text
from train.reproduction.table2 import SHIPPED, SHIPPED_OFF

README = Path(__file__).resolve().parents[2] / "README.md"
RESULTS = README.parent / "docs" / "results"
END = "<!-- end -->"
_SAMPLES = {
    "image_mae": "error of best",
    "variance": "variance",
    "variance_beyond_tint": "of it beyond a tint",
    "ssim_ab": "SSIM (ab)",
    "beyond_tint_share": "colour beyond a tint",
}
_OWN = {OURS["paper"], OURS["plain"], HINTED["hinted"]}


def models(table2: Mapping[str, Any]) -> list[str]:
    """Lines of the shipped models' table."""
    lines = [
        "| model | photos measured | best of 8 below eight fixed tints | colour beyond a tint | "
        "variance | SSIM (ab), G-CRF on / off | error of best, on / off |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, part in table2["sets"].items():
        on, off = (part["rows"][title]["figures"]["8"] for title in (SHIPPED, SHIPPED_OFF))
        lines.append(
            f"| `{name}` | {part['num_photos']} of `{part['test']}` | {on['below_tints']:.0%} | "
            f"{on['beyond_tint_share']:.2f} | {on['variance']:.2g} | "
            f"{on['ssim_ab']:.4f} / {off['ssim_ab']:.4f} | "
            f"{on['image_mae']:.5f} / {off['image_mae']:.5f} |"
        )
    return lines


def methods(table2: Mapping[str, Any]) -> list[str]:
    """Lines of Table 2 with five figures of each method on each set."""
    lines = [
        f"Each method trained {table2['minutes']:g} minutes of one core on each set; `{SHIPPED}` "
        "much longer. N = 8; in brackets the 95 % interval over photos."
    ]
    for name, part in table2["sets"].items():
        lines += [
            "",
            f"| {name}, {part['num_photos']} photos | " + " | ".join(_SAMPLES.values()) + " |",
            "| --- |" + " ---: |" * len(_SAMPLES),
        ]
        for title, row in part["rows"].items():
            figures, ends = row["figures"]["8"], row["intervals"]["8"]
            cells = [f"{figures[k]:.3g} ({ends[k][0]:.3g} to {ends[k][1]:.3g})" for k in _SAMPLES]
            lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return lines


def points(table3: Mapping[str, Any]) -> list[str]:
    """Lines of Table 3: PSNR of each method on each set, ours with the margin over Levin."""
    lines = [
        f"PSNR in dB at 256 x 256; Zhang 2017 trained {table3['minutes']:g} minutes of one core on "
        "each set. In brackets the margin over Levin on the same photos with its 95 % interval."
    ]
    for name, part in table3["sets"].items():
        counts = part["counts"]
        lines += [
            "",
            f"| {name}, {part['num_photos']} photos of `{part['test']}` | "
            + " | ".join(f"{count} point" + "s" * (count > 1) for count in counts)
            + " |",
            "| --- |" + " ---: |" * len(counts),
        ]
        for title, row in part["methods"].items():
            cells = [f"{value:.2f}" for value in row["psnr"]]
            if title in _OWN:
                over = part["margins"][title][LEVIN]
                pairs = zip(over["margin"], over["interval"], strict=True)
                ends = [f" ({m:+.2f}, {low:+.2f} to {high:+.2f})" for m, (low, high) in pairs]
                cells = [cell + end for cell, end in zip(cells, ends, strict=True)]
            lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return lines


SECTIONS: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], list[str]]]] = {
    "models": ("table2", models),
    "methods": ("table2", methods),
    "points": ("table3", points),
}
"""{mark: (part, what makes the lines)}."""


def filled(text: str, results: Path) -> str:
    """The README with each marked table as the results have it; those without results stay.

    Args:
        text: of the README; a table stands between `<!-- NAME -->` and `<!-- end -->`.
        results: folder with the parts' JSON.
    """
    for name, (part, make) in SECTIONS.items():
        path, start = results / f"{part}.json", f"<!-- {name} -->\n"
        if path.exists() and start in text:
            lines = make(json.loads(path.read_text(encoding="utf-8")))
            before, rest = text.split(start, 1)
            after = rest.split(END, 1)[1]
            text = "\n".join([before + start, *lines, "", END]) + after
    return text


def fill(readme: Path, results: Path) -> None:
    """Writes the marked tables of a README anew."""
    text = readme.read_text(encoding="utf-8")
    new = filled(text, results)
    if new != text:
        write_text(readme, new)
