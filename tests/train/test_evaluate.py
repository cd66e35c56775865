from __future__ import annotations

import json
import shutil
import zipfile
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from huefield import lab, metrics
from huefield.photo import Photo, read_photo
from train import evaluate
from train.baselines.interactive import TITLES
from train.evaluation import bootstrap, contenders, photos, report, samples, strokes
from train.evaluation.photos import DataSource, EvaluationError, SquarePhoto

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from huefield.strokes import Edits


@pytest.fixture(scope="module")
def squares(color_photos: Mapping[str, Path]) -> list[SquarePhoto]:
    """Three real photos at 64 x 64."""
    read = [(name, read_photo(path.read_bytes())) for name, path in color_photos.items()]
    return [SquarePhoto.of(name, photo.rgb, 64) for name, photo in read[:3]]


@pytest.fixture(scope="module")
def archive(color_photos: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zip: eight crops of real photos each under train/ and test/, grey ones under grey/."""
    path = tmp_path_factory.mktemp("data") / "small.zip"
    random = np.random.default_rng(0)
    images = [Image.open(file).convert("RGB") for file in color_photos.values()]
    with zipfile.ZipFile(path, "w") as stored:
        for split in ("train", "test", "grey"):
            for k in range(8):
                image = images[k % len(images)]
                left, top = (int(random.uniform(0, 0.3) * side) for side in image.size)
                box = (left, top, left + int(0.7 * image.width), top + int(0.7 * image.height))
                crop = image.resize((120, 110), Image.Resampling.BOX, box)
                crop = crop.convert("L") if split == "grey" else crop
                with stored.open(f"{split}/{k}.png", "w") as file:
                    crop.save(file, format="PNG")
        stored.writestr("broken/0.jpg", b"not a photo")
    return path


# Photos


def test_sources_are_parsed(archive: Path, tmp_path: Path) -> None:
    source = DataSource.parse(f"{archive}:test")
    assert (source.path, source.prefix, source.name) == (archive, "test", "small-test")
    assert [name for _, name in source.members()] == [f"test/{k}.png" for k in range(8)]
    assert DataSource.parse(str(archive)).prefix == ""
    assert len(DataSource.parse(str(archive)).members()) == 25
    folder = tmp_path / "with:colon"
    folder.mkdir()
    assert DataSource.parse(str(folder)) == DataSource(folder)


def test_photos_are_drawn_by_seed(archive: Path) -> None:
    source = DataSource(archive, "test")
    names = [
        [square.name for square in photos.read_squares(source, 32, count=4, seed=seed)]
        for seed in (0, 0, 1)
    ]
    assert names[0] == names[1] != names[2]
    assert names[0] == sorted(names[0])
    assert len(photos.read_squares(source, 32, count=50)) == 8


def test_squares_are_the_middle(color_photos: Mapping[str, Path]) -> None:
    rgb = read_photo(next(iter(color_photos.values())).read_bytes()).rgb
    edge = min(rgb.shape[:2])
    square = SquarePhoto.of("x", rgb, edge)
    top, left = ((side - edge) // 2 for side in rgb.shape[:2])
    np.testing.assert_array_equal(square.rgb, rgb[top : top + edge, left : left + edge])
    np.testing.assert_allclose(square.ab, lab.rgb_to_lab(square.rgb)[..., 1:])
    assert SquarePhoto.of("x", rgb, 32).lightness.shape == (32, 32)


def test_nothing_to_measure_is_said(archive: Path) -> None:
    with pytest.raises(EvaluationError, match="small-grey: all 8 photos are grey"):
        photos.read_squares(DataSource(archive, "grey"), 32)
    with pytest.raises(EvaluationError, match="none of its photos can be read"):
        photos.read_squares(DataSource(archive, "broken"), 32)
    with pytest.raises(EvaluationError, match="no photos"):
        samples.samples_table([], lambda *_: {}, np.zeros((8, 2), np.float32))
    with pytest.raises(EvaluationError, match="no photos to paint on"):
        strokes.strokes_table([], lambda _: Painter(_))
    with pytest.raises(EvaluationError, match="3 colour photos are too few"):
        samples.tints_of(np.zeros((3, 2), np.float32), "x")


# Samples


def toned(lightness: np.ndarray, num: int, seed: int) -> dict[str, np.ndarray]:
    """Samples that are tints of the photo; half as strong in a second setting."""
    hues = np.random.default_rng(seed).normal(0, 20, (num, 1, 1, 2))
    fields = (hues * (1 + lightness[..., None] / 100)).astype(np.float32)
    return {"strong": fields, "weak": fields / 2}


def test_samples_table_catches_tints(squares: list[SquarePhoto]) -> None:
    tints = samples.tints_of(np.random.default_rng(0).normal(0, 10, (20, 2)), "made")
    table = samples.samples_table(squares, toned, tints, counts=(2, 8), progress=False)
    assert list(table.rows) == [("strong", 2), ("strong", 8), ("weak", 2), ("weak", 8)]
    strong, weak = table.rows["strong", 8], table.rows["weak", 8]
    assert set(strong) == set(samples.FIGURES)
    assert "below_tints" not in table.rows["strong", 2]
    assert strong["beyond_tint_share"] < 1e-4
    assert strong["variance"] == pytest.approx(4 * weak["variance"], rel=1e-4)
    assert strong["variance_beyond_tint"] < 1e-9 < strong["variance"]
    assert strong["colorfulness"] > weak["colorfulness"]
    assert strong["ssim_ab"] < weak["ssim_ab"] < 1
    assert strong["image_mae"] <= table.rows["strong", 2]["image_mae"]
    fields = toned(squares[1].lightness, 8, 1)["strong"]
    assert strong["image_mae"] == pytest.approx(
        np.mean([
            metrics.error_of_best(toned(s.lightness, 8, k)["strong"], s.ab).image_mae
            for k, s in enumerate(squares)
        ])
    )  # fmt: skip
    assert metrics.variance(fields) > 0
    assert "colour beyond a tint" in table.to_markdown()
    json.dumps(table.to_json(), allow_nan=False)
    other = samples.samples_table(squares, toned, tints, counts=(2, 8), seed=9, progress=False)
    assert other.rows["strong", 8]["variance"] != strong["variance"]


def test_samples_table_knows_the_truth_and_the_tints(squares: list[SquarePhoto]) -> None:
    tints = samples.tints_of(np.random.default_rng(0).normal(0, 10, (20, 2)), "made")
    truths = {square.lightness.tobytes(): square.ab for square in squares}

    def sample(lightness: np.ndarray, num: int, seed: int) -> dict[str, np.ndarray]:
        truth = truths[lightness.tobytes()]
        flat = np.broadcast_to(tints[:, None, None], (num, *truth.shape))
        return {"truth": truth + np.arange(num)[:, None, None, None], "tints": flat}

    table = samples.samples_table(squares, sample, tints, counts=(8,), progress=False)
    truth, flat = table.rows["truth", 8], table.rows["tints", 8]
    assert truth["image_mae"] == truth["pixel_mse"] == truth["first_ab_error"] == 0
    assert truth["beyond_tint_share"] == pytest.approx(1, abs=1e-5)
    assert truth["below_tints"] == 1
    assert flat["below_tints"] == pytest.approx(0, abs=1e-6)
    assert flat["ssim_ab"] < 1
    assert flat["image_mae"] == pytest.approx(table.reference["tints_mae"])


# Strokes


class Painter:
    """Stands for an open photo: strokes colour what is alike in L, or the whole photo."""

    def __init__(self, photo: Photo, alike: float = 6.0) -> None:
        self.photo, self.alike = photo, alike

    def samples(self, n: int, seed: int = 0, edits: Edits | None = None) -> Sequence[Any]:
        return [edits] * n

    def render(self, sample: Any) -> np.ndarray:
        lightness = self.photo.lightness
        ab = np.full((*lightness.shape, 2), 3, np.float32)
        if sample is not None:
            (x0, y), (x1, _) = sample.strokes[0].points
            smooth = ndimage.gaussian_filter(lightness, 8)
            level = smooth[int(y), int((x0 + x1) / 2)]
            ab[np.abs(smooth - level) < self.alike] = sample.strokes[0].ab
        return lab.render_rgb8(lightness, ab)


@pytest.fixture(scope="module")
def whole_photos(color_photos: Mapping[str, Path]) -> list[Photo]:
    return [read_photo(path.read_bytes()) for path in list(color_photos.values())[:2]]


def test_a_stroke_goes_on_a_flat_place_of_an_object(whole_photos: list[Photo]) -> None:
    for photo in whole_photos:
        place = strokes.find_place(photo.lightness)
        x, y, radius = int(place.x), int(place.y), int(place.radius)
        around = photo.lightness[y - radius : y + radius, x - 2 * radius : x + 2 * radius]
        assert around.std() < photo.lightness.std() / 4
        assert place.region[y, x]
        assert (place.alike >= place.region).all()
        assert place.region.mean() < 0.5
        again = strokes.find_place(photo.lightness)
        assert (again.x, again.y) == (place.x, place.y)


def test_the_painted_colour_is_far_from_what_was_there_and_in_gamut() -> None:
    for current in ([30, 0], [0, 30], [-20, -20]):
        color = np.array(strokes.paint_color(55.0, np.array(current, np.float32)))
        assert color @ current < 0
        np.testing.assert_allclose(lab.clip_to_gamut(np.float32(55), color), color, atol=1e-3)


def test_stroke_figures_tell_a_flood_from_a_spread(whole_photos: list[Photo]) -> None:
    spread = strokes.strokes_table(whole_photos, Painter, progress=False).mean()
    flooded = strokes.strokes_table(
        whole_photos, partial(Painter, alike=1000.0), progress=False
    ).mean()
    still = strokes.measure_stroke(whole_photos[0], Painter(whole_photos[0], alike=-1.0))
    assert spread.inside_error < 3 < spread.before_error
    assert spread.lightness_error < 1
    assert spread.region_change > 3 * spread.outside_change
    assert flooded.outside_change > 0.8 * flooded.region_change > 5
    assert flooded.beyond_change > spread.beyond_change
    assert still.region_change == still.beyond_change == 0
    assert still.inside_error == still.before_error


# Report and command line


def test_contact_sheets_hold_ten_photos_each(squares: list[SquarePhoto], tmp_path: Path) -> None:
    fields = toned(squares[0].lightness, 8, 0)["weak"]
    row = report.sample_row(squares[0], fields)
    assert len(row) == 10
    np.testing.assert_array_equal(row[1], squares[0].rgb)
    assert np.ptp(row[0].astype(int), axis=-1).max() <= 1  # grey
    paths = report.write_sheets([row] * 12, ["grey", "truth"], tmp_path, "set", side=64)
    assert [path.name for path in paths] == ["set-1.png", "set-2.png"]
    with Image.open(paths[1]) as sheet:
        assert sheet.size == (4 + 10 * 68, 16 + 4 + 2 * 68)
        pixels = np.asarray(sheet)
    np.testing.assert_array_equal(pixels[20:84, 72:136], squares[0].rgb)


def test_tints_come_from_the_train_split(archive: Path) -> None:
    tints = evaluate.known_tints(DataSource(archive, "test"), 0)
    train = photos.mean_colors(DataSource(archive, "train"))
    np.testing.assert_allclose(np.sort(tints, axis=0), np.sort(train, axis=0), atol=1e-4)
    itself = evaluate.known_tints(DataSource(archive, "train"), 0)
    np.testing.assert_array_equal(tints, itself)


def test_faults_end_with_one_clear_line(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out")
    missing = str(tmp_path / "none")
    assert evaluate.main([missing, "--data", f"{archive}:test", "--out", out]) == 1
    assert missing in capsys.readouterr().err
    assert evaluate.main([missing, "--data", f"{archive}:nowhere", "--out", out]) == 1
    assert "nowhere" in capsys.readouterr().err
    for wrong in (["--suite", "speed"], ["--num-photos", "0"], ["--samples", "1"],
                  ["--counts", "0"], ["--methods", "magic"]):  # fmt: skip
        with pytest.raises(SystemExit):
            evaluate.main([missing, "--data", str(archive), "--out", out, *wrong])
        assert "argument --" in capsys.readouterr().err


@pytest.fixture
def coarse_model(tiny_model: Path, tmp_path: Path) -> Path:
    """A tiny model that works on 32 x 32 grids, where a solve costs 1/64."""
    folder = tmp_path / "coarse"
    shutil.copytree(tiny_model, folder)
    about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    (folder / "model.json").write_text(json.dumps(about | {"grid_area": 1024}), encoding="utf-8")
    return folder


def test_one_command_measures_a_model(archive: Path, coarse_model: Path, tmp_path: Path) -> None:
    def measure(out: Path, *more: str) -> dict[str, Any]:
        arguments = [str(coarse_model), "--data", f"{archive}:test", "--out", str(out), "--quiet"]
        arguments += ["--num-photos", "2", "--samples", "2,8", "--provider", "cpu", *more]
        assert evaluate.main(arguments) == 0
        stored: dict[str, Any] = json.loads((out / "results.json").read_text())
        return stored

    stored = measure(
        tmp_path / "a",
        *("--suite", "samples,points,strokes,sheets"),
        *("--methods", "grey,levin,barron,prior", "--counts", "2,10"),
    )
    suites = stored["results"]["small-test"]
    assert set(suites) == {"samples", "points", "strokes"}
    assert set(suites["samples"]["rows"]) == {
        f"gcrf {setting}, N = {n}" for setting in ("on", "off") for n in (2, 8)
    }
    reference = suites["samples"]["reference"]["grey_mae"]
    on, off = (suites["samples"]["rows"][f"gcrf {setting}, N = 8"] for setting in ("on", "off"))
    assert on["image_mae"] != off["image_mae"]
    assert on["variance"] < off["variance"]  # smoothing never adds to it
    names = ("grey", "levin", "barron", "prior")
    titles = {name: (contenders.BOUNDS | contenders.OURS | TITLES)[name] for name in names}
    assert list(suites["points"]["methods"]) == list(titles.values())
    assert list(suites["points"]["margins"]) == [titles["prior"]]
    assert suites["strokes"]["mean"]["inside_error"] <= 3
    assert suites["strokes"]["mean"]["lightness_error"] <= 1
    text = (tmp_path / "a" / "results.md").read_text()
    for path in (tmp_path / "a").glob("*.png"):
        assert f"]({path.name})" in text
    assert len(list((tmp_path / "a").glob("*.png"))) == 4

    again = measure(tmp_path / "b", "--suite", "samples", "--gcrf", "on")
    rows = again["results"]["small-test"]["samples"]["rows"]
    assert rows["gcrf on, N = 8"] == on
    assert "gcrf off, N = 8" not in rows
    other = measure(tmp_path / "c", "--suite", "samples", "--gcrf", "on", "--seed", "1")
    assert other["results"]["small-test"]["samples"]["rows"]["gcrf on, N = 8"] != on
    plates = measure(tmp_path / "d", "--suite", "samples", "--gcrf", "on", "--plates")
    assert plates["plates"]
    row = plates["results"]["small-test"]["samples"]["rows"]["gcrf on, N = 8"]
    assert row["image_mae"] != on["image_mae"]  # another gray in, the same truth
    assert plates["results"]["small-test"]["samples"]["reference"]["grey_mae"] == reference


def test_a_baseline_is_measured_by_its_samples(
    baseline_models: Path, archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(baseline_models / "bicycle_gan")
    given = [model, "--data", f"{archive}:test", "--out", str(tmp_path), "--samples", "4,8"]
    assert evaluate.main([*given, "--quiet"]) == 0
    results = json.loads((tmp_path / "results.json").read_text())
    table = results["results"]["small-test"]["samples"]
    assert set(table["rows"]) == {"BicycleGAN, N = 4", "BicycleGAN, N = 8"}
    row, ends = (table[key]["BicycleGAN, N = 8"] for key in ("rows", "intervals"))
    assert ends.keys() == row.keys()
    for figure, (low, high) in ends.items():
        assert low < row[figure] < high, figure
    assert (tmp_path / "small-test-samples-BicycleGAN-1.png").exists()
    with pytest.raises(SystemExit):
        evaluate.main([*given, "--suite", "points"])
    assert "expected some of samples, got 'points'" in capsys.readouterr().err


def test_bootstrap_intervals_are_as_wide_as_the_mean_is_unsure() -> None:
    rng = np.random.default_rng(2)
    truths = rng.uniform(1, 2, 100)
    noisy = rng.normal(1.0, 0.1, 100)
    rows = [
        {"image_mae": x, "tints_mae": 2.0 * x, "beyond_tint": 0.5 * t, "variance": 3.0}
        for x, t in zip(noisy, truths, strict=True)
    ]
    found = bootstrap.figure_intervals(rows, truths, 0)
    low, high = found["image_mae"]
    assert high - low == pytest.approx(2 * 1.96 * noisy.std() / 10, rel=0.1)
    assert low < noisy.mean() < high
    # Ratios of means are exact where the parts move together.
    assert found["below_tints"] == pytest.approx((0.5, 0.5))
    assert found["beyond_tint_share"] == pytest.approx((0.5, 0.5))
    assert found["variance"] == pytest.approx((3.0, 3.0))
    assert bootstrap.figure_intervals(rows, truths, 0) == found
    assert bootstrap.figure_intervals(rows, truths, 1) != found
