"""ONNX against torch: the largest difference over batches, grids and real photos.

Called by `export.model_folder`, which refuses to finish a model that differs by more than
`TOLERANCE`.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from export.graphs import Graph
from huefield.lab import rgb_to_lightness, scale_gray

TOLERANCE = 1e-4
EXAMPLES = Path(__file__).resolve().parents[1] / "static" / "examples"  # unless told otherwise
BATCHES = (1, 3, 8)
GRIDS = ((64, 64), (72, 56), (48, 88))
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


class ParityError(RuntimeError):
    """An exported graph computes something else than the torch module that it was made of."""


def read_gray_grids(photos: Path, count: int) -> dict[tuple[int, int], NDArray[np.float32]]:
    """Scaled gray of real photos at each grid of `GRIDS`: (count, 1, h, w) float32.

    Args:
        photos: a folder or zip of photos; repeated where there are fewer than `count`.
        count: how many photos.

    Raises:
        FileNotFoundError: there is no photo in it.
    """
    images = [Image.open(BytesIO(data)).convert("RGB") for data in islice(_files(photos), count)]
    if not images:
        raise FileNotFoundError(f"{photos}: no photos ({', '.join(_SUFFIXES)}) to compare on")
    grids = {}
    for height, width in GRIDS:
        cells = [np.asarray(i.resize((width, height), Image.Resampling.BOX)) for i in images]
        gray = [scale_gray(rgb_to_lightness(rgb)) for rgb in islice(cycle(cells), count)]
        grids[height, width] = np.stack(gray)[:, None].astype(np.float32)  # (count, 1, h, w)
    return grids


def _files(photos: Path) -> Iterator[bytes]:
    """The bytes of each photo of a folder or zip, by name."""
    if photos.is_dir():
        for path in sorted(p for p in photos.rglob("*") if p.suffix.lower() in _SUFFIXES):
            yield path.read_bytes()
        return
    with zipfile.ZipFile(photos) as archive:
        for name in sorted(archive.namelist()):
            if name.lower().endswith(_SUFFIXES):
                yield archive.read(name)


def largest_difference(
    module: nn.Module,
    graph: Graph,
    path: Path,
    grids: dict[tuple[int, int], NDArray[np.float32]],
    codes: NDArray[np.float32] | None = None,
) -> float:
    """The largest absolute difference between the ONNX file and the module, over all cases.

    Args:
        module: traceable torch module.
        graph: its names.
        path: the ONNX file.
        grids: scaled gray photos by grid, each (at least 8, 1, h, w).
        codes: (at least 8, latent_size), latent codes for a graph that takes some.

    Raises:
        ParityError: more than `TOLERANCE`, not finite, or another shape; naming the case.
    """
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for (height, width), photos in grids.items():
        for batch in BATCHES:
            cases: list[tuple[NDArray[np.float32], ...]] = [(photos[:batch],)]
            if codes is not None and "z" in graph.inputs:
                # As many photos as codes, and one photo for all codes.
                cases = [(photos[:batch], codes[:batch]), (photos[:1], codes[:batch])]
            elif "hints" in graph.inputs:
                hints = some_hints(batch, height, width)
                cases = [(photos[:batch], hints), (photos[:1], hints)]
            for case in cases:
                place = f"{graph.file} at batch {batch} on the {height} x {width} grid"
                worst = max(worst, case_difference(module, graph, session, case, place))
    return worst


def parity_note(errors: Mapping[str, float]) -> dict[str, Any]:
    """What `model.json` says of the comparison: its bounds, and the difference of each graph."""
    grids = [list(grid) for grid in GRIDS]
    bounds = {"tolerance": TOLERANCE, "batches": list(BATCHES), "grids": grids}
    return {**bounds, "error": dict(errors)}


def some_hints(number: int, height: int, width: int) -> NDArray[np.float32]:
    """Hints as the network gets them, (number, 3, height, width): the first has none of them."""
    rng = np.random.default_rng(number)
    hints = rng.uniform(-0.5, 0.5, (number, 3, height, width)).astype(np.float32)
    known = rng.random((number, 1, height, width)) < np.arange(number)[:, None, None, None] / 100
    hints[:, 2] = np.abs(hints[:, 2])
    return hints * known


def case_difference(
    module: nn.Module,
    graph: Graph,
    session: onnxruntime.InferenceSession,
    arguments: Sequence[NDArray[np.float32]],
    place: str,
) -> float:
    """The largest difference of one case, over all outputs.

    Raises:
        ParityError: more than `TOLERANCE`, not finite, or another shape; naming `place`.
    """
    feeds = dict(zip(graph.inputs, arguments, strict=True))
    got = session.run(list(graph.outputs), feeds)
    with torch.no_grad():
        answer = module(*(torch.from_numpy(a) for a in arguments))
    wanted: tuple[Tensor, ...] = answer if isinstance(answer, tuple) else (answer,)
    worst = 0.0
    for name, ours, theirs in zip(graph.outputs, got, wanted, strict=True):
        if ours.shape != tuple(theirs.shape):
            raise ParityError(f"{place}: {name} is {ours.shape}, torch has {tuple(theirs.shape)}")
        difference = float(np.max(np.abs(ours - theirs.numpy())))
        if not difference <= TOLERANCE:  # NaN too
            raise ParityError(f"{place}: {name} is off by {difference:.2e}, allowed {TOLERANCE:g}")
        worst = max(worst, difference)
    return worst
