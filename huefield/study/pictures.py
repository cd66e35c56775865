"""Gathers the pictures of a study: from folders and models, checked, in one form.

Every photo must be there, under the same file name and in the same size, for every method; files
are encoded anew with one encoder and padded to one length per photo. Called when a study is made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from huefield.lab import Bytes, render_rgb8, rgb_to_lightness
from huefield.photo import Photo, PhotoError, read_photo
from huefield.study.definition import TRUTH, Dataset, Definition, ModelSource
from huefield.study.fakes import obvious_fake
from huefield.study.padding import encode_plain, padded
from huefield.study.records import StudyError
from huefield.study.schedule import check_photos, fake_of, genuine_of

GRAY = "gray"
_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif"})

Colorer = Callable[[ModelSource, Photo], Bytes]


@dataclass(frozen=True)
class StudyPicture:
    """One picture as it will be served.

    Attributes:
        dataset: where it belongs.
        photo: name of the photo, the same for all its pictures.
        method: who coloured it, "truth", "gray", or "fake:" and what the fake was made of.
        width: columns.
        height: rows.
        data: the file.
    """

    dataset: str
    photo: str
    method: str
    width: int
    height: int
    data: bytes

    @property
    def sha256(self) -> str:
        """SHA-256 of the file, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    def to_json(self) -> dict[str, object]:
        """What the frozen document says of it."""
        return {
            "dataset": self.dataset,
            "photo": self.photo,
            "method": self.method,
            "width": self.width,
            "height": self.height,
            "sha256": self.sha256,
        }


def gather_pictures(
    definition: Definition, folder: Path, color: Colorer
) -> Iterator[list[StudyPicture]]:
    """The pictures of each photo in turn, a list a photo.

    Args:
        definition: the study.
        folder: what relative folders of the definition are relative to.
        color: colours a photo by a model.

    Raises:
        StudyError: a folder or file is missing, cannot be read or has another size.
    """
    listed = {name: photo_names(dataset, folder, name) for name, dataset in _datasets(definition)}
    check_photos(definition, {name: tuple(files) for name, files in listed.items()})
    for name, dataset in _datasets(definition):
        for photo, files in listed[name].items():
            yield _pictures_of(definition, name, dataset, photo, files, color)


def photo_names(dataset: Dataset, folder: Path, name: str) -> dict[str, dict[str, Path]]:
    """The files of every photo: by photo, by folder that the dataset names (truth, method, ...).

    Raises:
        StudyError: a folder is missing or empty, or two folders do not hold the same names.
    """
    sources = {
        method: source for method, source in dataset.methods.items() if isinstance(source, str)
    }
    if dataset.truth:
        sources[TRUTH] = dataset.truth
    if dataset.photos:
        sources["photos"] = dataset.photos
    found: dict[str, dict[str, Path]] = {}
    for method, path in sources.items():
        for photo, file in _files_of(folder / path, f"datasets.{name}.{method}").items():
            found.setdefault(photo, {})[method] = file
    for photo, files in sorted(found.items()):
        if missing := sorted(set(sources) - set(files)):
            has = sorted(files)[0]
            raise StudyError(
                f"datasets.{name}: '{photo}' is there for '{has}' but not for '{missing[0]}' "
                f"(looked in {folder / sources[missing[0]]})"
            )
    return dict(sorted(found.items()))


def _datasets(definition: Definition) -> list[tuple[str, Dataset]]:
    return list(definition.datasets.items())


def _files_of(folder: Path, place: str) -> dict[str, Path]:
    """The photos of a folder by their names without ending."""
    if not folder.is_dir():
        raise StudyError(f"{place}: no folder at {folder}")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in _SUFFIXES or path.name.startswith("."):
            continue
        if path.stem in found:
            raise StudyError(f"{place}: '{path.stem}' is there twice in {folder}")
        found[path.stem] = path
    if not found:
        raise StudyError(f"{place}: no photos in {folder}")
    return found


def _pictures_of(
    definition: Definition,
    name: str,
    dataset: Dataset,
    photo: str,
    files: dict[str, Path],
    color: Colorer,
) -> list[StudyPicture]:
    """All pictures of one photo, in one size and one file length."""
    read = {method: _read(path) for method, path in files.items()}
    base = read.get("photos") or read.get(TRUTH)
    pictures: dict[str, Bytes] = {
        method: picture.rgb for method, picture in read.items() if method != "photos"
    }
    for method, source in dataset.methods.items():
        if isinstance(source, ModelSource):
            assert base is not None  # noqa: S101 - the definition was checked
            pictures[method] = color(source, base)
    shapes = {method: rgb.shape[:2] for method, rgb in pictures.items()}
    if len(set(shapes.values())) > 1:
        said = ", ".join(f"{method} {w} x {h}" for method, (h, w) in shapes.items())
        raise StudyError(f"datasets.{name}: '{photo}' has not the same size everywhere: {said}")
    side = definition.pictures.long_side
    pictures = {method: _reduced(rgb, side) for method, rgb in pictures.items()}
    good = genuine_of(definition, name)
    seed = int.from_bytes(hashlib.sha256(f"{definition.seed}/{name}/{photo}".encode()).digest()[:4])
    if definition.trials.checks or definition.trials.practice:
        kind = definition.trials.check_kind
        pictures[fake_of(good)] = obvious_fake(pictures[good], kind, seed)
    if definition.trials.show_gray:
        pictures[GRAY] = _gray_of(pictures[good])
    encoded = [encode_plain(rgb, definition.pictures.format) for rgb in pictures.values()]
    return [
        StudyPicture(name, photo, method, rgb.shape[1], rgb.shape[0], data)
        for (method, rgb), data in zip(pictures.items(), padded(encoded), strict=True)
    ]


def _read(path: Path) -> Photo:
    try:
        return read_photo(path.read_bytes())
    except OSError as error:
        raise StudyError(f"{path}: cannot be read: {error.strerror or error}") from error
    except PhotoError as error:
        raise StudyError(f"{path}: {error}") from error


def _reduced(rgb: Bytes, side: int) -> Bytes:
    """The picture with at most `side` pixels on its longer side."""
    height, width = rgb.shape[:2]
    if max(height, width) <= side:
        return rgb
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.LANCZOS))


def _gray_of(rgb: Bytes) -> Bytes:
    lightness = rgb_to_lightness(rgb)
    return render_rgb8(lightness, np.zeros((*lightness.shape, 2), np.float32))
