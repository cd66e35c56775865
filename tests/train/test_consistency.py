"""Colour inside segments and between samples: known fields, segments beside scikit-image's."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from skimage.segmentation import felzenszwalb

from tests.reproduction_task import make_task
from train.evaluation.photos import SquarePhoto
from train.reproduction import consistency
from train.reproduction.effort import Effort, Task
from train.reproduction.segments import large_segments, outlined, segment
from train.reproduction.table2 import OURS, SHIPPED

if TYPE_CHECKING:
    from collections.abc import Mapping

EFFORT = Effort(
    minutes=0.01, limit=0, num_photos=3, counts=(8,), num_ablation_photos=4, num_shown=2
)


def test_segments_are_those_of_scikit_image(color_photos: Mapping[str, Path]) -> None:
    for path in color_photos.values():
        with Image.open(path) as picture:
            rgb = np.asarray(picture.convert("RGB"))
        lightness = SquarePhoto.of(path.name, rgb, 48).lightness
        ours = segment(lightness, scale=30.0)
        # Its scale is in 1/255; with segments of one cell allowed it joins nothing afterwards.
        theirs = felzenszwalb(lightness.astype(float), scale=30.0 * 255, sigma=0.8, min_size=1)
        pairs = np.unique(np.stack([ours.reshape(-1), theirs.reshape(-1)]), axis=1).shape[1]
        assert ours.max() + 1 == theirs.max() + 1 == pairs > 20


def test_perfect_segments_have_no_spread_inside() -> None:
    halves = np.zeros((16, 20), bool)
    halves[:, :8] = True
    masks = [halves, ~halves]
    colors = np.array([[[10, 0], [0, 30]], [[16, 8], [0, 30]]], np.float32)  # (n, segments, 2)
    fields = np.where(halves[None, ..., None], colors[:, :1, None], colors[:, 1:, None])
    found = consistency.spreads(fields, masks)
    assert found["within"] == pytest.approx(0, abs=1e-6)
    # (6, 8) apart: variances 18 and 32 in the first segment, none in the second.
    assert found["between"] == pytest.approx(50**0.5 / 2)
    # The photo's mean moved by 8 / 20 of that, so both segments moved against it.
    assert found["apart"] == pytest.approx(50**0.5 * (12 / 20 + 8 / 20) / 2)

    moved = fields + np.array([3, -4], np.float32)
    assert consistency.spreads(moved, masks)["between"] == pytest.approx(50**0.5 / 2)
    tints = fields[:1] + np.arange(4, dtype=np.float32)[:, None, None, None]
    tinted = consistency.spreads(tints, masks)
    assert tinted["between"] > 1
    assert tinted["apart"] == pytest.approx(0, abs=1e-6)
    bled = fields.copy()
    bled[:, :, 8:10] = fields[:, :, :2]
    spread = consistency.spreads(bled, masks)["within"]
    # A sixth of the second segment is off by d: its spread is d sqrt(1 / 6 * 5 / 6).
    off = np.linalg.norm(colors[:, 0] - colors[:, 1], axis=1).mean()
    assert spread == pytest.approx(off * 5**0.5 / 6 / 2, rel=1e-5)


def test_only_large_segments_count_and_are_outlined() -> None:
    labels = np.zeros((4, 6), int)
    labels[:, 4:] = 1
    labels[0, 0] = 2
    (first, second) = large_segments(labels, 8)
    assert first.sum() == 15
    assert second.sum() == 8
    rgb = np.full((16, 24, 3), 100, np.uint8)
    picture = outlined(rgb, labels, 8)
    assert (picture[1:3, 1:3] == 50).all()  # too small
    assert (picture[:, 16] == 255).all()
    assert (picture[8:, 2:14] == 100).all()


@pytest.fixture
def task(crops: Path, tiny_model: Path, untrained_baselines: Path, tmp_path: Path) -> Task:
    """Faces that are crops of the shipped photos; of two methods one has been trained."""
    methods = ("cgan", "pic")
    return make_task(
        tmp_path,
        crops,
        tiny_model,
        EFFORT,
        [],
        methods=methods,
        every=4,
        untrained=untrained_baselines,
    )


def test_methods_stand_beside_ours_and_nothing_is_made_twice(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = consistency.make(task)
    part = results["sets"]["faces"]
    assert part["absent"] == ["pic"]
    rows = part["rows"]
    assert list(rows) == [consistency.TRUTH, "c-GAN", *OURS.values()]
    assert "difference" not in rows[SHIPPED]["figures"]["within"]
    on, off = (rows[title]["figures"] for title in OURS.values())
    assert off["within"]["difference"] == pytest.approx(
        off["within"]["mean"] - on["within"]["mean"], abs=1e-4
    )
    # S of an untrained embedding is bilateral: the G-CRF evens things out.
    assert on["within"]["mean"] < off["within"]["mean"]
    text = consistency.markdown(json.loads(json.dumps(results)))
    assert "absent: pic" in text
    assert f"| {SHIPPED} | {on['within']['mean']:.4g} [" in text
    with Image.open(task.places.out / "consistency.png") as picture:
        assert picture.width > 800
        assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 10
    with Image.open(task.places.runs / "consistency-segments.png") as picture:
        assert picture.width > 2 * consistency.SHOWN_SIDE

    def fail(*arguments: object) -> None:
        raise AssertionError("measured again")

    told: list[str] = []
    monkeypatch.setattr(consistency, "_measure", fail)
    assert consistency.make(dataclasses.replace(task, done=told.append)) == results
    assert len(told) == consistency.rows(task) == 3
