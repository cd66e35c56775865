from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import train.all
from export.__main__ import main as export_run
from huefield.colorizer import Colorizer
from huefield.networks import load_model
from huefield.photo import read_photo
from train.arguments import run_stage

if TYPE_CHECKING:
    from collections.abc import Mapping

PRESET = Path(train.all.__file__).parent / "configs" / "smoke.toml"


def test_the_smoke_preset_is_trained_in_three_minutes_exported_and_served(
    crops: Path, color_photos: Mapping[str, Path], tmp_path: Path
) -> None:
    began = time.monotonic(), time.process_time()
    arguments = ["--config", str(PRESET), "--data", str(crops), "--out", str(tmp_path / "run")]
    assert run_stage(train.all.STAGES, arguments) == 0
    # Other work on the machine makes the clock run on, and processor time where cores are shared:
    # within the limit by either of them is within it on two cores of one's own.
    assert min(time.monotonic() - began[0], time.process_time() - began[1]) < 180

    assert export_run([str(tmp_path / "run"), str(tmp_path / "smoke")]) == 0
    colorizer = Colorizer(load_model(tmp_path / "smoke", "cpu"), backend="cpu")
    opened = colorizer.open(read_photo(color_photos["boothbay"].read_bytes()))
    samples = opened.samples(3, seed=1)
    fields = np.stack([sample.field for sample in samples])
    assert np.isfinite(fields).all()
    assert np.abs(fields).mean() > 1.0  # it has learned colours, in ab units
    assert fields.std(axis=0).mean() > 0.1  # and more than one
