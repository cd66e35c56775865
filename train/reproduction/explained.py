"""Figures 6 to 8 of `train.reproduce`: edits, the unary beside the result, and what S looks at.

`figures` calls them. Photos are test photos of the set; for the set of general photos they are the
large ones under a free licence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huefield import lab, upsample
from huefield.colorizer import Colorizer, OpenPhoto
from huefield.networks import Networks, load_model
from train.baselines import interactive
from train.baselines.zhang_onnx import INFO_FILE
from train.evaluation.photos import DataSource, SquarePhoto
from train.reproduction.effort import Task
from train.reproduction.places import (
    NUM_EDITS,
    NUM_PIXELS,
    principal_components,
    scripted_edits,
    typical_places,
)
from train.reproduction.sets import SETS
from train.reproduction.sheet import Legend, Line, write_sheet
from train.reproduction.shown import SIDE, drawn, gray_of, photo_of, shown_photos
from train.reproduction.tiles import enlarged, heat, heat_over, marked, painted
from train.reproduction.trained import zhang_folder

Floats = NDArray[np.float32]
Opened = Iterable[tuple[OpenPhoto, SquarePhoto]]

FREE = {"photos": ("photos.zip", "unsplash")}
NUM_SAMPLES = 3
MAPS = Legend("0", "largest of each map")


@dataclass(frozen=True)
class Drawing:
    """A sheet to be written.

    Attributes:
        heads: text over each column.
        blocks: lines, those of a photo together.
        legend: of its heat maps.
        says: what its caption says of it.
    """

    heads: Sequence[str]
    blocks: Sequence[Sequence[Line]]
    legend: Legend
    says: Mapping[str, Any] = field(default_factory=dict)


def edits_figure(task: Task, name: str) -> dict[str, Any]:
    """Figure 6 of a set: two edits a photo, the result, and how far each edit looks and reaches."""
    folder = zhang_folder(task.places, name)
    others = []
    if (folder / INFO_FILE).exists():
        others.append(interactive.open_method(interactive.ZHANG, weights=folder))
    about = {
        "others": [other.title for other in others],
        "absent": [] if others else [interactive.TITLES[interactive.ZHANG]],
    }
    settings = {"settings": [other.settings for other in others]}

    def compose(photos: Opened, networks: Networks) -> Drawing:
        heads = ["strokes", "ours, sample 1"]
        heads += [f"{title} with strokes" for title in (*about["others"], "ours")]
        for number in range(1, NUM_EDITS + 1):
            heads += [f"row of S, {number}", f"reach, {number}"]
        blocks = [
            [edits_line(f"photo {k}", opened, square, others, task.seed)]
            for k, (opened, square) in enumerate(photos, start=1)
        ]
        return Drawing([*heads, "truth"], blocks, MAPS)

    return _figure(task, name, "figure6", settings, compose) | about


def edits_line(
    label: str,
    opened: OpenPhoto,
    square: SquarePhoto,
    others: Sequence[interactive.Interactive],
    seed: int,
) -> Line:
    """A photo under two strokes of its own colours; `others` follow the same strokes."""
    (before,) = opened.samples(1, seed)
    edits = scripted_edits(before.field, square)
    (after,) = opened.samples(1, seed, edits)
    tiles = [painted(gray_of(square), edits), opened.render(before)]
    photo = photo_of(square)
    tiles += [lab.render_rgb8(photo.lightness, other.recolor(photo, edits)) for other in others]
    tiles.append(opened.render(after))
    for number, stroke in enumerate(edits.strokes, start=1):
        x, y = np.mean(stroke.points, axis=0)
        for values in opened.influence(x, y):
            over = heat_over(values, square.lightness)
            tiles.append(marked(over, [(x, y)], first=number))
    return Line(label, (*tiles, square.rgb))


def unary_figure(task: Task, name: str) -> dict[str, Any]:
    """Figure 7 of a set: what the decoder says, what the G-CRF makes of it, and how they differ."""

    def compose(photos: Opened, networks: Networks) -> Drawing:
        found = []
        for opened, square in photos:
            samples = opened.samples(NUM_SAMPLES, task.seed)
            found.append((square, [(opened.unary(sample), sample.field) for sample in samples]))
        changes = [np.linalg.norm(x - unary, axis=2) for _, pairs in found for unary, x in pairs]
        top = 5 * math.ceil(float(np.percentile(np.stack(changes), 99)) / 5)
        blocks = [unary_lines(square, pairs, top) for square, pairs in found]
        heads = ["grey", "unary", "with the G-CRF", "difference", "truth"]
        return Drawing(heads, blocks, Legend("0", f"{top} ab and more"), {"top": top})

    return _figure(task, name, "figure7", {}, compose)


def unary_lines(
    square: SquarePhoto, pairs: Sequence[tuple[Floats, Floats]], top: float
) -> list[Line]:
    """A line for each pair of unary and result, both (h, w, 2) ab; `top` is the brightest heat."""
    guide = upsample.Guide(square.lightness)
    lines = []
    for number, (unary, x) in enumerate(pairs, start=1):
        pictures = [lab.render_rgb8(square.lightness, guide.upsample(part)) for part in (unary, x)]
        change = np.linalg.norm(x - unary, axis=2) / top
        tiles = (gray_of(square), *pictures, heat(enlarged(change, (SIDE, SIDE))), square.rgb)
        lines.append(Line(f"sample {number}", tiles))
    return lines


def hoc_figure(task: Task, name: str) -> dict[str, Any]:
    """Figure 8 of a set: rows of S of three pixels, and the embedding's principal components."""

    def compose(photos: Opened, networks: Networks) -> Drawing:
        blocks = []
        for number, (opened, square) in enumerate(photos, start=1):
            lightness = upsample.grid_lightness(square.lightness, opened.grid)
            embedding = networks.embed(lab.scale_gray(lightness))  # (D, h, w)
            blocks.append([hoc_line(f"photo {number}", opened, square, embedding, task.seed)])
        heads = ["L and three pixels", *(f"row of S, {k + 1}" for k in range(NUM_PIXELS))]
        return Drawing([*heads, "embedding"], blocks, MAPS)

    return _figure(task, name, "figure8", {}, compose)


def hoc_line(
    label: str, opened: OpenPhoto, square: SquarePhoto, embedding: Floats, seed: int
) -> Line:
    """A photo's three marked pixels, the row of S of each, and its embedding (D, h, w) as RGB."""
    components = principal_components(embedding)
    places = typical_places(components, seed)
    tiles = [marked(gray_of(square), places)]
    for number, place in enumerate(places, start=1):
        row, _ = opened.influence(*place)
        tiles.append(marked(heat_over(row, square.lightness), [place], first=number))
    low, high = np.percentile(components, (2, 98), axis=(0, 1))
    shares = (components - low) / np.maximum(high - low, 1e-6)
    colors = upsample.bilinear(np.asarray(np.clip(shares, 0, 1), np.float32), (SIDE, SIDE))
    return Line(label, (*tiles, np.asarray(np.rint(255 * colors), np.uint8)))


def _figure(
    task: Task,
    name: str,
    figure: str,
    settings: Mapping[str, Any],
    compose: Callable[[Opened, Networks], Drawing],
) -> dict[str, Any]:
    """The account of a figure of a set, its sheet written where it was not yet."""
    source = SETS[name].test_source(task.places.data)
    if name in FREE:
        file, prefix = FREE[name]
        source = DataSource(task.places.data / file, prefix)
    squares = shown_photos(source, task.effort.num_shown, task.seed)
    networks = load_model(task.places.models / name, "cpu")
    info = networks.info
    about = {"source": source.name, "photos": [square.name for square in squares]}
    content = {
        **about,
        **settings,
        "seed": task.seed,
        "graphs": dict(info.sha256),
        "kernel": asdict(info.kernel),
        "gcrf": asdict(info.gcrf),
        "chroma_gain": info.chroma_gain,
    }
    file = f"{figure}-{name}.jpg"

    def opened() -> Iterator[tuple[OpenPhoto, SquarePhoto]]:
        colorizer = Colorizer(networks, anticipate=False)
        for square in squares:
            yield colorizer.open(photo_of(square)), square

    def draw() -> dict[str, Any]:
        drawing = compose(opened(), networks)
        write_sheet(task.places.out / file, drawing.heads, drawing.blocks, drawing.legend)
        return {"files": [file], **drawing.says}

    return {"absent": [], **about, **drawn(task, f"{figure}-{name}", content, draw)}
