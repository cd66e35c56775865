from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from huefield.colorizer import Colorizer
from huefield.lab import rgb_to_lab
from huefield.networks import Networks, load_model
from huefield.photo import read_photo
from huefield.rendering import Renderer
from huefield.study.definition import Definition, ModelSource
from huefield.study.fakes import obvious_fake
from huefield.study.model_pictures import ModelColorer
from huefield.study.padding import encode_plain, padded
from huefield.study.pictures import StudyPicture, gather_pictures
from huefield.study.reading import definition_from_json
from huefield.study.records import StudyError
from tests.study_photos import SIZE, sources, write_study_folders


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study_folders(tmp_path_factory.mktemp("photos"), sources(4))


def definition(**changes: Any) -> Definition:
    dataset = {"truth": "truth", "methods": {"a": "strong", "b": "pale"}}
    trials = {"count": 2, "practice": 1, "checks": 1, "repeats": 1}
    table = {"name": "s", "title": "T", "contact": "c", "datasets": {"D": dataset}}
    return definition_from_json(table | {"trials": trials} | changes)


def no_models(source: ModelSource, photo: object) -> Any:
    raise AssertionError(source)


def gather(wanted: Definition, folder: Path, color: Any = no_models) -> list[list[StudyPicture]]:
    return list(gather_pictures(wanted, folder, color))


@pytest.mark.parametrize("file_format", ["jpeg", "png"])
def test_all_pictures_of_a_photo_weigh_the_same(folders: Path, file_format: str) -> None:
    found = gather(definition(pictures={"format": file_format}), folders)
    assert len(found) == 4
    for pictures in found:
        assert {p.method for p in pictures} == {"a", "b", "truth", "fake:truth"}
        assert len({len(p.data) for p in pictures}) == 1
        assert len({p.sha256 for p in pictures}) == 4
        for picture in pictures:
            with Image.open(io.BytesIO(picture.data)) as image:
                image.load()
                assert image.format == file_format.upper()
                assert image.size == (picture.width, picture.height) == SIZE
                assert "exif" not in image.info


def test_png_pictures_are_unchanged(folders: Path) -> None:
    found = gather(definition(pictures={"format": "png"}), folders)
    for pictures, number in zip(found, range(4), strict=True):
        pale = next(p for p in pictures if p.method == "b")
        wanted = np.asarray(Image.open(folders / "pale" / f"photo-{number:02d}.png"))
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(pale.data))), wanted)


@pytest.mark.parametrize("gap", [0, 1, 65_533, 65_534, 65_538, 70_000, 131_070, 300_000])
def test_padding_of_any_size(gap: int) -> None:
    rng = np.random.default_rng(0)
    small = encode_plain(rng.integers(0, 255, (8, 8, 3), np.uint8), "jpeg")
    files = padded([small, small + bytes(gap)])
    assert len(files[0]) == len(files[1]) == -(-(len(small) + gap + 16) // 4096) * 4096
    with Image.open(io.BytesIO(files[0])) as image:
        image.load()
        with Image.open(io.BytesIO(small)) as wanted:
            assert np.array_equal(np.asarray(image), np.asarray(wanted))


def test_large_pictures_are_reduced_alike(folders: Path) -> None:
    found = gather(definition(pictures={"long_side": 64}), folders)
    assert {(p.width, p.height) for pictures in found for p in pictures} == {(64, 48)}


def test_the_grey_photo_has_no_colour(folders: Path) -> None:
    trials = {"count": 2, "practice": 0, "checks": 0, "repeats": 0, "show_gray": True}
    (first, *_) = gather(definition(trials=trials), folders)
    gray = next(p for p in first if p.method == "gray")
    rgb = np.asarray(Image.open(io.BytesIO(gray.data)).convert("RGB")).astype(int)
    assert np.ptp(rgb, axis=-1).max() <= 2


@pytest.mark.parametrize("kind", ["noise", "hue"])
def test_fakes_are_obvious_and_keep_lightness(color_photos: dict[str, Path], kind: Any) -> None:
    for path in color_photos.values():
        with Image.open(path) as image:
            image.thumbnail((200, 200))
            rgb = np.asarray(image.convert("RGB"))
        fake = obvious_fake(rgb, kind, 1)
        before, after = rgb_to_lab(rgb), rgb_to_lab(fake)
        assert np.abs(after[..., 0] - before[..., 0]).mean() < 1.0
        change = np.linalg.norm(after[..., 1:] - before[..., 1:], axis=-1)
        assert change.mean() > 15
        assert np.array_equal(fake, obvious_fake(rgb, kind, 1))
        assert not np.array_equal(fake, obvious_fake(rgb, kind, 2))


def test_a_missing_file_is_named(folders: Path, tmp_path: Path) -> None:
    base = write_study_folders(tmp_path, sources(4))
    (base / "pale" / "photo-02.png").unlink()
    with pytest.raises(StudyError, match=r"'photo-02' is there for 'a' but not for 'b'"):
        gather(definition(), base)


def test_another_size_is_named(tmp_path: Path) -> None:
    base = write_study_folders(tmp_path, sources(4))
    Image.new("RGB", (90, 72)).save(base / "pale" / "photo-01.png")
    with pytest.raises(StudyError, match=r"'photo-01' has not the same size .* b 90 x 72"):
        gather(definition(), base)


def test_a_missing_folder_and_a_broken_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="no folder at"):
        gather(definition(), tmp_path / "nowhere")
    base = write_study_folders(tmp_path, sources(4))
    (base / "truth" / "photo-03.png").write_text("no picture")
    with pytest.raises(StudyError, match=r"photo-03\.png"):
        gather(definition(), base)


def test_models_colour_with_and_without_the_crf(
    folders: Path, tiny_model: Path, tiny_networks: Networks
) -> None:
    dataset = {
        "truth": "truth",
        "methods": {
            "with": {"model": "tiny", "gcrf": True},
            "without": {"model": "tiny", "gcrf": False},
        },
    }
    wanted = definition(datasets={"D": dataset}, pictures={"format": "png"})
    colorer = ModelColorer(tiny_model.parent)
    (first, *_) = gather(wanted, folders, colorer)
    rgb = {p.method: np.asarray(Image.open(io.BytesIO(p.data))).astype(int) for p in first}
    photo = read_photo((folders / "truth" / "photo-00.png").read_bytes())
    lightness = rgb_to_lab(rgb["without"].astype(np.uint8))[..., 0]
    assert np.abs(lightness - photo.lightness).mean() < 1.0
    assert np.abs(rgb["with"] - rgb["without"]).mean() > 0.2
    again = gather(wanted, folders, colorer)[0]
    assert [p.sha256 for p in again] == [p.sha256 for p in first]
    with pytest.raises(StudyError, match="no model 'huge'"):
        colorer(ModelSource("huge"), photo)


def test_earlier_methods_colour_too(folders: Path, baseline_models: Path) -> None:
    methods = {name: {"model": name, "sample": 2} for name in ("bicycle_gan", "pic")}
    dataset = {"truth": "truth", "methods": methods | {"first": {"model": "pic"}}}
    wanted = definition(datasets={"D": dataset}, pictures={"format": "png"})
    colorer = ModelColorer(baseline_models)
    (first, *_) = gather(wanted, folders, colorer)
    rgb = {p.method: np.asarray(Image.open(io.BytesIO(p.data))).astype(int) for p in first}
    photo = read_photo((folders / "truth" / "photo-00.png").read_bytes())
    for name in methods:
        lightness = rgb_to_lab(rgb[name].astype(np.uint8))[..., 0]
        assert np.abs(lightness - photo.lightness).mean() < 1.0
    assert np.abs(rgb["pic"] - rgb["bicycle_gan"]).mean() > 0.2
    assert np.abs(rgb["pic"] - rgb["first"]).mean() > 0.2
    again = gather(wanted, folders, ModelColorer(baseline_models))[0]
    assert [p.sha256 for p in again] == [p.sha256 for p in first]
    with pytest.raises(StudyError, match=r"no model 'huge' .* there are: bicycle_gan, cgan"):
        colorer(ModelSource("huge"), photo)


def test_gcrf_on_and_off_show_the_same_code(tiny_model: Path, folders: Path) -> None:
    """Whatever sample is asked for: what differs is the G-CRF alone."""
    photo = read_photo(next((folders / "truth").iterdir()).read_bytes())
    colorer = ModelColorer(tiny_model.parent)
    opened = Colorizer(load_model(tiny_model, "cpu"), anticipate=False).open(photo)
    for number in (1, 3):
        sample = opened.samples(number, 5)[-1]
        off = colorer(ModelSource(tiny_model.name, gcrf=False, seed=5, sample=number), photo)
        on = colorer(ModelSource(tiny_model.name, gcrf=True, seed=5, sample=number), photo)
        np.testing.assert_array_equal(on, opened.render(sample))
        np.testing.assert_array_equal(off, Renderer(photo.lightness).render(opened.unary(sample)))
