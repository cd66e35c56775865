"""What the figures and the folder for a study show: test photos, and each method's colours of them.

Called by `figures`, `explained` and `pairs`. Every photo is a square of `SIDE` pixels; methods see
it on their working grid, and their colours come back to its size along its edges, as in the app.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huefield import lab, upsample
from huefield.baseline_info import TITLES
from huefield.baselines import load_baseline
from huefield.model_info import MODEL_FILE
from huefield.networks import load_model
from huefield.photo import Photo
from train.evaluation.model import OFF, ON, BaselineFunctions, ModelFunctions
from train.evaluation.photos import DataSource, EvaluationError, SquarePhoto, read_photos
from train.evaluation.samples import SampleFn
from train.reproduction.effort import Task, kept

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

SIDE = 256
OURS = {OFF: "ours without G-CRF", ON: "ours"}
OURS_FOLDERS = {OFF: "ours-without-gcrf", ON: "ours"}


@dataclass(frozen=True)
class Sampler:
    """What samples one method, or ours with and without its G-CRF, at once.

    Attributes:
        titles: what people call each setting, by its name in what `sample` returns, in order.
        folders: a name of a folder for each setting.
        sample: samples of L on a grid, by setting.
        grid: working grid of a photo of `SIDE` pixels.
        identity: what its samples depend on beside photo and seed, as JSON.
    """

    titles: Mapping[str, str]
    folders: Mapping[str, str]
    sample: SampleFn
    grid: tuple[int, int]
    identity: Mapping[str, Any]


def shown_photos(source: DataSource, count: int, seed: int) -> list[SquarePhoto]:
    """`count` colour photos of a source, drawn by seed, as squares; fewer where it has fewer.

    Raises:
        EvaluationError: none of them has colour.
    """
    members = source.members()
    order = np.random.default_rng(seed).permutation(len(members))
    found: list[SquarePhoto] = []
    for name, photo in read_photos([members[place] for place in order]):
        if photo.has_color:
            found.append(SquarePhoto.of(name, photo.rgb, SIDE))
        if len(found) == count:
            break
    if not found:
        raise EvaluationError(f"{source.name}: expected photos with colour, found none to show")
    return found


def open_samplers(task: Task, name: str) -> tuple[list[Sampler], list[str]]:
    """The methods of a set that are there, ours last, and the titles of those that are not.

    Raises:
        ModelError: a folder is broken.
    """
    found, absent = [], []
    for method in task.methods:
        folder = task.places.runs / name / "models" / method
        if not (folder / MODEL_FILE).exists():
            absent.append(TITLES[method])
            continue
        baseline = load_baseline(folder)
        info = baseline.info
        found.append(
            Sampler(
                {info.title: info.title},
                {info.title: method.replace("_", "-")},
                BaselineFunctions(baseline).sample,
                _grid(info.grid_area, info.multiple),
                dict(info.sha256),
            )
        )
    functions = ModelFunctions(load_model(task.places.models / name, "cpu"), (ON, OFF))
    ours = functions.networks.info
    grid = _grid(ours.grid_area, ours.multiple)
    found.append(Sampler(OURS, OURS_FOLDERS, functions.sample, grid, functions.identity))
    return found, absent


def sampled(
    samplers: Sequence[Sampler], square: SquarePhoto, num: int, seed: int
) -> dict[str, list[Bytes]]:
    """`num` coloured pictures (SIDE, SIDE, 3) of each method, by title, in the methods' order."""
    guide = upsample.Guide(square.lightness)
    pictures = {}
    for sampler in samplers:
        lightness = upsample.grid_lightness(square.lightness, sampler.grid)
        fields = sampler.sample(lightness, num, seed)
        for setting, title in sampler.titles.items():
            pictures[title] = [
                lab.render_rgb8(square.lightness, guide.upsample(field))
                for field in fields[setting]
            ]
    return pictures


def photo_of(square: SquarePhoto) -> Photo:
    """The square as a photo that a `Colorizer` opens."""
    return Photo(square.lightness, square.rgb, has_color=True, format="PNG", exif=b"")


def gray_of(square: SquarePhoto) -> Bytes:
    """The square without its colours, (SIDE, SIDE, 3)."""
    return lab.render_rgb8(square.lightness, np.zeros((SIDE, SIDE, 2), np.float32))


def drawn(
    task: Task, name: str, content: Mapping[str, Any], draw: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """What was drawn before of the same things, or what `draw` draws now.

    Args:
        task: whose results they are.
        name: of the drawing, which names the file that keeps its account.
        content: what the pictures depend on, as JSON.
        draw: draws; of what it returns "files" lists the files below the results' folder, which
            are drawn anew where one is gone.
    """
    keeper = task.places.runs / "figures" / f"{name}.json"
    account = kept(keeper, content, draw)
    if not all((task.places.out / file).exists() for file in account["files"]):
        keeper.unlink()
        account = kept(keeper, content, draw)
    return {key: value for key, value in account.items() if key != "key"}


def _grid(area: int, multiple: int) -> tuple[int, int]:
    return upsample.grid_shape(SIDE, SIDE, area=area, multiple=multiple)
