"""The rows of the revealed-points table by name: the bounds, the earlier methods, ours.

Called by `train.evaluate`, which has the model; `points` measures the rows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from huefield import upsample
from huefield.gcrf import Weights
from train.baselines import interactive
from train.evaluation.model import ModelFunctions
from train.evaluation.photos import EvaluationError, SquarePhoto
from train.evaluation.points import PointsMethod
from train.evaluation.revealed import Revealed, Spread
from train.evaluation.spreading import (
    Floats,
    GcrfSpread,
    HintedSpread,
    spread_grey,
    spread_mean,
    spread_truth,
)

SIDE = 256
BOUNDS = {"grey": "grey", "mean": "true mean colour", "ceiling": "true colours through the grid"}
OURS = {
    "paper": "G-CRF, the paper's setting",
    "plain": "G-CRF, points alone",
    "prior": "G-CRF, prior from the samples",
    "default": "G-CRF, as the studio has it",
}
HINTED = {
    "hinted": "G-CRF, prior from the hints network",
    "hints-alone": "hints network, no G-CRF",
}
NAMES = (*BOUNDS, *interactive.NAMES, *OURS, *HINTED)
PAPER = Weights(beta_edit=5.0, beta_prior=0.0)  # Eq. 6 with H the revealed pixels; the ridge stays
POINTS = Weights(
    beta_edit=5.0, beta_prior=1e-4, pairs=0.1
)  # of points alone, unless told otherwise
BETA_HINTS = 0.005


def spread_by(
    photo: SquarePhoto, points: Sequence[Revealed], colorize: interactive.Colorize
) -> list[Floats]:
    """What an earlier method makes of each set of points, at full size."""
    return [colorize(photo.lightness, p.known, p.colors) for p in points]


def default_names(functions: ModelFunctions, zhang: Path | None) -> list[str]:
    """All rows that can be measured with what there is."""
    left_out = set() if zhang else {interactive.ZHANG}
    if functions.hinted is None:
        left_out |= set(HINTED)
    return [name for name in NAMES if name not in left_out]


def contenders(
    names: list[str],
    functions: ModelFunctions,
    weights: Weights,
    beta_hints: float,
    *,
    zhang: Path | None = None,
    seed: int = 0,
) -> list[PointsMethod]:
    """The rows of some names, in their order.

    Args:
        names: Of `NAMES`.
        functions: The model.
        weights: Of the rows `plain` and `prior`; `paper` and `default` have their own.
        beta_hints: Pull of the correction to 0 where the prior is the hints network's.
        zhang: Folder of Zhang's network, for its row.
        seed: Of methods that draw.

    Raises:
        EvaluationError: A row needs a network that is not there.
        ModelError: The folder of Zhang's network is broken.
    """
    info = functions.networks.info
    grid = upsample.grid_shape(SIDE, SIDE, area=info.grid_area, multiple=info.multiple)
    # Another hints network changes the figures of its own rows alone.
    model = json.dumps(functions.identity, sort_keys=True)
    all_graphs = json.dumps(functions.identity | {"graphs": dict(info.sha256)}, sort_keys=True)
    bounds: dict[str, Spread] = {
        "grey": spread_grey,
        "mean": spread_mean,
        "ceiling": partial(spread_truth, grid=grid),
    }
    gcrf = info.gcrf
    hints_weights = Weights(beta_edit=weights.beta_edit, beta_prior=beta_hints)
    own_weights = {
        "paper": PAPER,
        "plain": weights,
        "prior": weights,
        "default": Weights(beta_edit=gcrf.beta_edit, beta_prior=gcrf.beta_prior),
        "hinted": hints_weights,
    }
    made = []
    for name in names:
        if name in bounds:
            made.append(PointsMethod(BOUNDS[name], bounds[name], str(grid)))
        elif name in interactive.NAMES:
            if name == interactive.ZHANG and zhang is None:
                raise EvaluationError(
                    "the row 'zhang' needs --zhang FOLDER, as export.zhang writes it"
                )
            method = interactive.open_method(name, seed=seed, weights=zhang)
            spread = partial(spread_by, colorize=method.colorize)
            made.append(PointsMethod(method.title, spread, method.settings))
        elif name in HINTED and functions.hinted is None:
            raise EvaluationError(f"the row {name!r} needs a model with a hints network")
        elif name == "hints-alone" and functions.hinted is not None:
            alone = HintedSpread(functions.hinted, grid)
            made.append(PointsMethod(HINTED[name], alone, all_graphs, ours=True, alone=True))
        else:
            own = own_weights[name]
            ours = GcrfSpread(
                functions.embed,
                grid,
                functions.candidates if name in ("prior", "default") else None,
                functions.hinted if name == "hinted" else None,
                functions.kernel,
                own,
            )
            known = all_graphs if name == "hinted" else model
            settings = f"{known} {grid} {json.dumps(asdict(own))}"
            title = (OURS | HINTED)[name]
            made.append(PointsMethod(title, ours, settings, ours=True, alone=True))
    return made
