"""Small plots as SVG text: shares with intervals, strengths, response times.

Written by hand so that a report needs no plotting library and has the same bytes everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_WIDTH = 680
_LABEL = 230
_ROW = 30
_INK = "#1c1c1c"
_SOFT = "#8a8a8a"
_LINE = "#d6d6d6"
_POINT = "#9a5f00"


def interval_plot(
    rows: Sequence[tuple[str, float | None, tuple[float | None, float | None]]],
    *,
    low: float,
    high: float,
    middle: float | None,
    unit: str,
    title: str,
) -> str:
    """Points with intervals, one a row.

    Args:
        rows: label, value, (low, high) of each; None where there is none.
        low: left end of the axis.
        high: right end of the axis.
        middle: where the reference line stands, if there is one.
        unit: after the numbers of the axis.
        title: says to a screen reader what the picture shows.
    """
    height = _ROW * len(rows) + 34
    span = (high - low) or 1.0

    def x(value: float) -> float:
        inside = min(max(value, low), high)
        return _LABEL + (inside - low) / span * (_WIDTH - _LABEL - 20)

    parts = []
    for k in range(5):
        value = low + span * k / 4
        parts.append(_line(x(value), 6, x(value), height - 26, _LINE))
        parts.append(_text(x(value), height - 8, f"{value:.4g}{unit}", "middle", _SOFT))
    if middle is not None:
        parts.append(_line(x(middle), 6, x(middle), height - 26, _SOFT, dash=True))
    for k, (label, point, (left, right)) in enumerate(rows):
        y = 6 + _ROW * (k + 0.5)
        parts.append(_text(_LABEL - 12, y + 5, label, "end", _INK))
        if left is not None and right is not None:
            parts.append(_line(x(left), y, x(right), y, _POINT, width=3))
        if point is not None:
            parts.append(f'<circle cx="{x(point):.1f}" cy="{y:.1f}" r="5.5" fill="{_POINT}"/>')
    return _svg(height, parts, title)


def histogram(edges: Sequence[float], counts: Sequence[int], title: str) -> str:
    """Bars of equal width, one an interval of `edges` (milliseconds)."""
    height = 220
    most = max([*counts, 1])
    step = (_WIDTH - 60) / max(len(counts), 1)
    parts = [_line(40, height - 40, _WIDTH - 20, height - 40, _SOFT)]
    for k, count in enumerate(counts):
        tall = (height - 70) * count / most
        parts.append(
            f'<rect x="{40 + k * step + 2:.1f}" y="{height - 40 - tall:.1f}" '
            f'width="{step - 4:.1f}" height="{tall:.1f}" fill="{_POINT}"/>'
        )
        if count:
            y = height - 46 - tall
            parts.append(_text(40 + (k + 0.5) * step, y, str(count), "middle", _INK))
        parts.append(_text(40 + k * step, height - 22, f"{edges[k] / 1000:g}", "middle", _SOFT))
    parts.append(_text(_WIDTH - 20, height - 22, f"{edges[-1] / 1000:g} s", "middle", _SOFT))
    return _svg(height, parts, title)


def line_plot(points: Sequence[tuple[float, float]], title: str) -> str:
    """Median response time (milliseconds) by place in the plan."""
    height = 200
    if not points:
        return _svg(40, [_text(_WIDTH / 2, 24, "no answers", "middle", _SOFT)], title)
    far = max(max(place for place, _ in points), 1)
    most = max(max(value for _, value in points), 1.0) * 1.1

    def at(place: float, value: float) -> tuple[float, float]:
        return 60 + place / far * (_WIDTH - 90), height - 40 - value / most * (height - 60)

    parts = [
        _line(60, height - 40, _WIDTH - 20, height - 40, _SOFT),
        _text(52, 24, f"{most / 1000:.1f} s", "end", _SOFT),
        _text(52, height - 36, "0", "end", _SOFT),
        _text(60, height - 18, "first trial", "start", _SOFT),
        _text(_WIDTH - 20, height - 18, f"trial {far + 1:g}", "end", _SOFT),
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in points))
    parts.append(f'<polyline points="{path}" fill="none" stroke="{_POINT}" stroke-width="2"/>')
    parts += [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{_POINT}"/>'
        for x, y in (at(*point) for point in points)
    ]
    return _svg(height, parts, title)


def _svg(height: float, parts: list[str], title: str) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:g}" '
        f'role="img" aria-label="{escape(title)}" font-family="sans-serif" font-size="13">\n'
        f"<title>{escape(title)}</title>\n{body}\n</svg>\n"
    )


def _line(
    x1: float, y1: float, x2: float, y2: float, color: str, width: float = 1, *, dash: bool = False
) -> str:
    dashes = ' stroke-dasharray="5 4"' if dash else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f'stroke="{color}" stroke-width="{width:g}"{dashes}/>'
    )


def _text(x: float, y: float, text: str, anchor: str, color: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}">{escape(text)}</text>'
    )
