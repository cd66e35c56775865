"""A finished run as a model folder: its graphs and `model.json`, all or nothing.

Called by `python -m export`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from torch import nn

from export.checkpoints import TrainedRun, load_run
from export.graphs import DECODER, HINTS, HOC, MDN, OPSET, Graph, checksum, export_graph
from export.parity import BATCHES, largest_difference, parity_note, read_gray_grids
from export.traceable import TraceableDecoder, TraceableHints, TraceableHoc, TraceableMdn
from huefield import lab
from huefield.model_info import (
    MODEL_FILE,
    GcrfSettings,
    KernelSettings,
    LabScaling,
    ModelInfo,
    info_json,
    read_model_info,
)
from train.networks import STRIDE


class BetterModelError(RuntimeError):
    """The model that is there measures at least as well as the one that should replace it."""


@dataclass(frozen=True)
class Settings:
    """What a model folder says beside what the run decided.

    Attributes:
        description: one sentence for people.
        grid_area: about how many cells the working grid has.
        gcrf: weights of the G-CRF.
        chroma_gain: factor on the unary's chroma.
        sigma: deviation that samples are drawn with; None for the one that the mixture was trained
            with.
        hints_for_strokes: see `ModelInfo`.
    """

    description: str
    grid_area: int
    gcrf: GcrfSettings
    chroma_gain: float
    sigma: float | None = None
    hints_for_strokes: bool = False


def model_score(metrics: Mapping[str, Any]) -> float | None:
    """The figure by which models of one name are compared, higher is better; None if unmeasured.

    The mean PSNR in dB at 10, 50 and 100 revealed points on the validation photos, which stage 1
    phase 2 measures through decoder, HOC and G-CRF together.
    """
    figures = [metrics.get("hoc", {}).get(f"val_psnr_{points}") for points in (10, 50, 100)]
    known = [float(figure) for figure in figures if figure is not None]
    return sum(known) / len(known) if known else None


def export_model(
    run: Path, target: Path, photos: Path, settings: Settings, *, force: bool = False
) -> ModelInfo:
    """What `model.json` of the new model folder says.

    Everything is written and compared beside the target and moved there at the end, so that a
    failure leaves what was there.

    Args:
        run: folder with vae.pt, hoc.pt, mdn.pt and perhaps hints.pt.
        target: the model folder; its name is the model's name.
        photos: folder or zip of real photos that ONNX and torch are compared on.
        settings: the rest of `model.json`.
        force: replace a model that measures better.

    Raises:
        CheckpointError: the run is not finished.
        ParityError: ONNX and torch differ.
        BetterModelError: the model that is there measures at least as well.
        FileExistsError: the target is something else than a model folder.
    """
    trained = load_run(run)
    score = model_score(trained.metrics)
    _check_target(target, score, force=force)
    with in_place_of(target) as folder:
        parity = _write_graphs(trained, folder, photos)
        info = _describe(target.name, trained, settings, folder, parity, score)
        (folder / MODEL_FILE).write_text(info_json(info), encoding="utf-8")
    return info


@contextmanager
def in_place_of(target: Path) -> Iterator[Path]:
    """An empty folder that takes the target's place when all went well, and is gone when not."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as temporary:
        folder = Path(temporary) / target.name
        folder.mkdir()
        yield folder
        if target.exists():
            target.rename(Path(temporary) / "replaced")
        folder.rename(target)


def _check_target(target: Path, score: float | None, *, force: bool) -> None:
    """Refuses a target that is no model folder, or a better model unless forced."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not (target / MODEL_FILE).is_file():
        raise FileExistsError(f"{target} is there and is no model folder; it is left as it is")
    if force:
        return
    old = read_model_info(target).score
    if old is not None and (score is None or score <= old):
        new = "no score" if score is None else f"{score:.3f}"
        raise BetterModelError(
            f"{target} scores {old:.3f}, this run {new}; --force replaces it all the same"
        )


def _write_graphs(trained: TrainedRun, folder: Path, photos: Path) -> dict[str, float]:
    """Writes the graphs and gives the largest difference from torch of each."""
    grids = read_gray_grids(photos, max(BATCHES))
    networks = trained.config.networks
    noise = np.random.default_rng(0).standard_normal((max(BATCHES), networks.latent_size))
    modules: list[tuple[nn.Module, Graph]] = [
        (TraceableDecoder(trained.decoder), DECODER),
        (TraceableHoc(trained.hoc), HOC),
        (TraceableMdn(trained.mdn), MDN),
    ]
    if trained.hints is not None:
        modules.append((TraceableHints(trained.hints), HINTS))
    parity = {}
    for module, graph in modules:
        path = export_graph(module, graph, folder, networks.latent_size)
        codes = noise.astype(np.float32)
        parity[graph.file] = largest_difference(module, graph, path, grids, codes)
    return parity


def _describe(
    name: str,
    trained: TrainedRun,
    settings: Settings,
    folder: Path,
    parity: Mapping[str, float],
    score: float | None,
) -> ModelInfo:
    """The model's `model.json`."""
    networks = trained.config.networks
    kind: Literal["distance", "inner"] = "inner" if networks.kernel == "inner" else "distance"
    return ModelInfo(
        name=name,
        description=settings.description,
        grid_area=settings.grid_area,
        multiple=STRIDE,
        embedding_size=networks.embedding_size,
        num_components=networks.num_components,
        sigma=trained.config.mdn.sigma if settings.sigma is None else settings.sigma,
        latent_size=networks.latent_size,
        lab=LabScaling(lab.L_CENTER, lab.L_SCALE, lab.AB_SCALE),
        opset=OPSET,
        sha256={file: checksum(folder / file) for file in parity},
        kernel=KernelSettings(kind, networks.diagonal),
        gcrf=settings.gcrf,
        chroma_gain=settings.chroma_gain,
        hints_for_strokes=settings.hints_for_strokes,
        score=score,
        training=json.loads(json.dumps(trained.training)),
        parity=parity_note(parity),
        metrics=json.loads(json.dumps(trained.metrics)),
    )
