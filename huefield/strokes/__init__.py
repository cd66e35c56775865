"""What a person draws: edit files, and what they come to on a photo and on the grid.

`edits` reads and writes the edit file, `raster` finds the pixels under a stroke, `labels` keeps
them while strokes are added, `constraints` turns them into what the solver gets.  Called by
`huefield.colorizer`, the command line and the API.
"""

from __future__ import annotations

from huefield.strokes.constraints import Constraints, rasterize
from huefield.strokes.edits import (
    Edits,
    EditsError,
    Region,
    Stroke,
    Tie,
    edits_to_json,
    parse_edits,
    parse_hex_color,
)
from huefield.strokes.labels import StrokeLabels
from huefield.strokes.raster import coverage

__all__ = [
    "Constraints",
    "Edits",
    "EditsError",
    "Region",
    "Stroke",
    "StrokeLabels",
    "Tie",
    "coverage",
    "edits_to_json",
    "parse_edits",
    "parse_hex_color",
    "rasterize",
]
