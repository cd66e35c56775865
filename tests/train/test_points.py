from __future__ import annotations

import json
from copy import copy
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from huefield import upsample
from huefield.gcrf import Kernel, Weights
from huefield.networks import load_model
from huefield.photo import read_photo
from train.baselines import levin
from train.evaluation import points, revealed, spreading
from train.evaluation.bootstrap import mean_interval
from train.evaluation.contenders import contenders, spread_by
from train.evaluation.model import ModelFunctions
from train.evaluation.photos import EvaluationError, SquarePhoto
from train.evaluation.points import PointsMethod

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

GREY = PointsMethod("grey", spreading.spread_grey)
MEAN = PointsMethod("mean", spreading.spread_mean)
LEVIN = PointsMethod(points.LEVIN, partial(spread_by, colorize=levin.colorize))


def by_hand(gray: np.ndarray, light: float = 4.0, reach: float = 0.1) -> np.ndarray:
    """An embedding that needs no training: L and position."""
    height, width = gray.shape
    y, x = np.mgrid[:height, :width] / (reach * max(height, width))
    return np.stack([light * gray, x, y]).astype(np.float32)


def ours(grid: tuple[int, int] = (32, 32), name: str = "ours", **changes: Any) -> PointsMethod:
    settings: dict[str, Any] = {
        "embed": by_hand,
        "weights": Weights(beta_edit=5.0, beta_prior=1e-4),
    } | changes
    spread = spreading.GcrfSpread(grid=grid, **settings)
    return PointsMethod(name, spread, ours=True, alone=True)


def ceiling(grid: tuple[int, int]) -> PointsMethod:
    return PointsMethod("ceiling", partial(spreading.spread_truth, grid=grid))


@pytest.fixture(scope="module")
def squares(color_photos: Mapping[str, Path]) -> list[SquarePhoto]:
    """Three real photos at 64 x 64."""
    read = [(name, read_photo(path.read_bytes())) for name, path in color_photos.items()]
    return [SquarePhoto.of(name, photo.rgb, 64) for name, photo in read[:3]]


def test_points_show_the_mean_of_their_patch(squares: list[SquarePhoto]) -> None:
    one, three, many = revealed.reveal(squares[0].ab, (1, 3, 200), seed=5)
    assert one.known.sum() == revealed.PATCH**2
    patch = squares[0].ab[one.known]
    np.testing.assert_allclose(one.colors[one.known], np.tile(patch.mean(axis=0), (49, 1)), 1e-4)
    assert not one.colors[~one.known].any()
    assert (three.known >= one.known).all()
    assert three.known.sum() <= 3 * 49 < many.known.sum()
    ys, xs = np.nonzero(many.known)
    assert abs(ys.mean() - 31.5) < 4
    assert abs(xs.mean() - 31.5) < 4
    again = revealed.reveal(squares[0].ab, (1, 3, 200), seed=5)[2]
    np.testing.assert_array_equal(again.colors, many.colors)
    other = revealed.reveal(squares[0].ab, (1,), seed=6)[0]
    assert (other.known != one.known).any()


def test_points_on_the_grid_keep_their_colour_and_share() -> None:
    known = np.zeros((64, 64), bool)
    known[8:15, 16:23] = True  # cells of 4 pixels: one full, then three quarters
    colors = np.where(known[..., None], np.float32([10, -20]), np.float32(0))
    constraints = revealed.Revealed(known, colors).on_grid((16, 16))
    cells = constraints.rows.indices
    np.testing.assert_array_equal(cells, [36, 37, 52, 53])
    np.testing.assert_allclose(constraints.weights, [1, 0.75, 0.75, 0.5625], atol=1e-6)
    np.testing.assert_allclose(constraints.targets, np.tile([10, -20], (4, 1)), rtol=1e-5)


def test_the_table_orders_the_methods(squares: list[SquarePhoto]) -> None:
    counts = (1, 10, 50, 100)
    rows = [GREY, MEAN, ceiling((32, 32)), LEVIN, ours()]
    table = points.points_table(squares, rows, counts=counts, progress=False)
    assert table.counts == counts
    own, best = table.mean("ours"), table.mean("ceiling")
    assert (np.diff(own) > 0).all()
    assert (np.diff(table.mean(points.LEVIN)) > 0).all()
    assert table.mean("grey")[0] < table.mean("mean")[0] < own[2]
    assert (own < best).all()
    assert (table.mean(points.LEVIN)[:3] < best[:3]).all()
    np.testing.assert_allclose(table.margins("ours"), own - table.mean(points.LEVIN))
    assert (table.seconds["ours"] > 0).all()


def test_the_table_tells_means_intervals_and_margins(
    squares: list[SquarePhoto], tmp_path: Path
) -> None:
    table = points.points_table(squares, [GREY, LEVIN, ours()], counts=(5, 20), progress=False)
    stored = json.loads(json.dumps(table.to_json(), allow_nan=False))
    assert stored["num_photos"] == 3
    assert stored["counts"] == [5, 20]
    row = stored["methods"]["ours"]
    assert row["psnr"][1] == pytest.approx(table.mean("ours")[1], abs=1e-3)
    low, high = row["interval"][1]
    assert low < row["psnr"][1] < high
    margin = stored["margins"]["ours"][points.LEVIN]
    low, high = margin["interval"][0]
    assert low <= margin["margin"][0] <= high
    assert margin["margin"] == row["over_levin"]
    assert list(stored["margins"]) == ["ours"]
    text = table.to_markdown()
    assert f"{table.mean('ours')[0]:.2f} ± " in text
    assert f"{table.margins('ours', 'grey')[0]:+.2f} (" in text
    table.write_curve(tmp_path / "curve.png")
    with Image.open(tmp_path / "curve.png") as picture:
        assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 20


def test_intervals_are_those_of_a_mean() -> None:
    values = np.random.default_rng(3).normal([[2.0, -1.0]], [[1.0, 5.0]], (80, 2))
    low, high = mean_interval(values)
    half = stats.t.ppf(0.975, 79) * values.std(axis=0, ddof=1) / 80**0.5
    np.testing.assert_allclose((high - low) / 2, half, rtol=0.1)
    np.testing.assert_allclose((high + low) / 2, values.mean(axis=0), atol=0.1)
    both = mean_interval(np.repeat(values[:, :1], 2, axis=1))[0]
    assert both[0] == both[1]  # the same photos are drawn for all columns
    shared = values[:, :1] + np.random.default_rng(4).normal(0, 0.01, (80, 1))
    pair = mean_interval(shared - values[:, :1])
    assert pair[1] - pair[0] < 0.1 * (high - low)[0]


def test_figures_repeat_and_heed_the_parameters(squares: list[SquarePhoto]) -> None:
    def quick(seed: int = 0, **changes: Any) -> np.ndarray:
        row = ours(**({"grid": (16, 16)} | changes))
        table = points.points_table(squares[:2], [row], counts=(5, 20), seed=seed, progress=False)
        return np.asarray(table.psnr["ours"])

    first = quick()
    np.testing.assert_array_equal(first, quick())
    for changed in (
        {"seed": 1},
        {"weights": Weights(beta_edit=0.5, beta_prior=1e-4)},
        {"weights": Weights(beta_edit=5.0, beta_prior=0.1)},
        {"kernel": Kernel("inner")},
        {"grid": (32, 32)},
        {"embed": partial(by_hand, light=16.0)},
    ):
        assert np.abs(quick(**changed) - first).max() > 1e-3, changed
    with pytest.raises(ValueError, match="expected an embedding on"):
        quick(embed=lambda gray: by_hand(gray)[:, 1:])


def test_what_cannot_be_measured_is_said(squares: list[SquarePhoto]) -> None:
    with pytest.raises(EvaluationError, match="no photos"):
        points.points_table([], [GREY])
    with pytest.raises(EvaluationError, match="no method"):
        points.points_table(squares, [])
    with pytest.raises(EvaluationError, match="asked for twice"):
        points.points_table(squares, [GREY, GREY])


def test_processes_share_the_rows(squares: list[SquarePhoto]) -> None:
    alone, shared = (
        points.points_table(
            squares[:2], [LEVIN, ours(), GREY], counts=(2,), processes=n, progress=False
        )
        for n in (1, 2)
    )
    assert list(alone.psnr) == list(shared.psnr) == [points.LEVIN, "ours", "grey"]
    for name, values in alone.psnr.items():
        np.testing.assert_array_equal(values, shared.psnr[name])


def test_figures_that_are_kept_are_not_measured_again(
    squares: list[SquarePhoto], tmp_path: Path
) -> None:
    asked: list[str] = []

    def spread(photo: SquarePhoto, shown: Sequence[revealed.Revealed]) -> list[np.ndarray]:
        asked.append(photo.name)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return spreading.spread_mean(photo, shown)

    kept = tmp_path / "points.jsonl"
    row = PointsMethod("counted", spread, "a")
    measure = partial(points.points_table, counts=(2, 5), kept=kept, progress=False)
    with pytest.raises(KeyboardInterrupt):
        measure(squares, [row])
    kept.write_bytes(kept.read_bytes()[:-20])  # as if the last line had been cut off
    table = measure(squares, [row])
    names = [square.name for square in squares]
    assert asked == [*names, *names[1:]]
    np.testing.assert_array_equal(
        table.psnr["counted"],
        points.points_table(squares, [MEAN], counts=(2, 5), progress=False).psnr["mean"],
    )
    measure(squares, [row])
    assert len(asked) == 5
    measure(squares[:1], [PointsMethod("counted", spread, "b")])
    measure(squares[:1], [row], seed=1)
    measure(squares[:1], [row], counts=(2,))
    assert len(asked) == 8


def test_a_prior_that_agrees_with_the_points_is_chosen(squares: list[SquarePhoto]) -> None:
    photo, grid = squares[0], (32, 32)
    truth = upsample.grid_ab(photo.ab, grid)
    fields = np.stack([np.zeros_like(truth), -truth, truth])
    weights = Weights(beta_edit=5.0, beta_prior=0.1)
    rows = [
        ceiling(grid),
        ours(grid, weights=weights),
        ours(grid, "with", weights=weights, fields=lambda _: fields),
    ]
    table = points.points_table([photo], rows, counts=(10,), progress=False)
    # A patch's mean is not quite its cells' colour, so even the truth is corrected a little.
    assert table.mean("ours")[0] + 3 < table.mean("with")[0] < table.mean("ceiling")[0]
    constraints = revealed.reveal(photo.ab, (10,), 0)[0].on_grid(grid)
    assert spreading.nearest(fields.reshape(3, -1, 2), constraints) == 2


def test_a_hints_network_gets_the_points(squares: list[SquarePhoto]) -> None:
    photo, grid = squares[0], (32, 32)

    def hinted(gray: np.ndarray, hints: np.ndarray) -> np.ndarray:
        assert gray.shape == grid
        known = hints[:, 2:] > 0
        total = (hints[:, :2] * known).sum((2, 3), keepdims=True)
        return np.broadcast_to(total / known.sum((2, 3), keepdims=True), (len(hints), 2, *grid))

    alone = PointsMethod("alone", spreading.HintedSpread(hinted, grid))
    # A constant prior and a weak pull: the G-CRF on top is the form without a prior, nearly.
    rows = [alone, ours(grid), ours(grid, "with", hinted=hinted)]
    table = points.points_table([photo], rows, counts=(10,), progress=False)
    assert table.mean("with")[0] == pytest.approx(table.mean("ours")[0], abs=0.05)
    assert table.mean("alone")[0] < table.mean("with")[0]


def test_another_hints_network_changes_its_own_rows_alone(hinted_model: Path) -> None:
    """What figures are kept by."""
    networks = load_model(hinted_model, "cpu")
    digests = {**networks.info.sha256, "hints.onnx": "another"}
    other = copy(networks)
    other.info = replace(networks.info, sha256=digests)
    names = ["paper", "plain", "hinted", "hints-alone"]
    before, after = (
        contenders(names, ModelFunctions(each), Weights(), 0.005) for each in (networks, other)
    )
    same = [one.settings == two.settings for one, two in zip(before, after, strict=True)]
    assert same == [True, True, False, False]
    assert ModelFunctions(networks).identity == ModelFunctions(other).identity
