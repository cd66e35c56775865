"""Test photos for the suites: read from zips or folders, chosen by seed, made square where asked.

Called by `train.evaluate` and by the stages that measure themselves while they train.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from huefield import lab
from huefield.photo import Photo, PhotoError, read_photo
from train.data import is_held, list_photos, read_members
from train.plates import expose

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

logger = logging.getLogger(__name__)


class EvaluationError(ValueError):
    """There is nothing to measure: no photos, too few, or none with colour."""


@dataclass(frozen=True)
class DataSource:
    """A zip or folder and the part of it that counts, written `PATH` or `PATH:PREFIX`.

    Attributes:
        path: zip or folder.
        prefix: names below it have to begin with this folder; "" for all.
        include: patterns (fnmatch) below the prefix, of which names have to fit one.
        held_share: where above 0, only the share of the photos that training keeps for validation.
    """

    path: Path
    prefix: str = ""
    include: tuple[str, ...] = ("*",)
    held_share: float = 0.0

    @classmethod
    def parse(cls, text: str) -> DataSource:
        """The source that a command line names: `lfw.zip:test`, `photos.zip`, `some/folder`."""
        if Path(text).exists():
            return cls(Path(text))
        path, _, prefix = text.rpartition(":")
        return cls(Path(path), prefix.strip("/")) if path else cls(Path(text))

    @property
    def name(self) -> str:
        """Short name for tables and files: `lfw-test`, `photos-imagenet`, `places-train-held`."""
        held = ["held"] if self.held_share else []
        return "-".join([self.path.stem, *self.prefix.split("/"), *held]).strip("-")

    def members(self) -> list[tuple[Path, str]]:
        """(zip or folder, name) of each photo, by name.

        Raises:
            DataError: there is none, or neither a folder nor a zip.
        """
        folder = f"{self.prefix}/" if self.prefix else ""
        found = list_photos([self.path], [f"{folder}{pattern}" for pattern in self.include])
        if self.held_share:
            found = [member for member in found if is_held(member[1], self.held_share)]
        return found

    def part(self, prefix: str) -> DataSource:
        """The same zip or folder with another prefix, and all photos below it."""
        return DataSource(self.path, prefix, self.include)


@dataclass(frozen=True)
class SquarePhoto:
    """A test photo's centre at one size; truth and input of one measurement.

    Attributes:
        name: its name in the zip or folder.
        rgb: (side, side, 3) uint8, what PSNR compares with.
        lightness: (side, side) float32, L of `rgb`, unless it is that of a plate.
        ab: (side, side, 2) float32, ab of `rgb`.
    """

    name: str
    rgb: Bytes
    lightness: Floats
    ab: Floats

    @classmethod
    def of(cls, name: str, rgb: Bytes, side: int) -> SquarePhoto:
        """The centre square of a photo (H, W, 3) uint8, scaled to `side` pixels."""
        height, width = rgb.shape[:2]
        edge = min(height, width)
        top, left = (height - edge) // 2, (width - edge) // 2
        square = Image.fromarray(rgb[top : top + edge, left : left + edge])
        if edge != side:
            square = square.resize((side, side), Image.Resampling.LANCZOS)
        pixels = np.asarray(square)
        true = lab.rgb_to_lab(pixels)
        return cls(name, pixels, true[..., 0], true[..., 1:])

    def on_plate(self, draws: NDArray[np.float64]) -> SquarePhoto:
        """The same colours over the gray of an old plate; draws (NUM_DRAWS,) as `expose` has."""
        return replace(self, lightness=expose(self.rgb[None], draws[None])[0])


def choose(
    members: Sequence[tuple[Path, str]], count: int | None, seed: int
) -> list[tuple[Path, str]]:
    """At most `count` members, drawn by seed, in their old order; all where `count` is None."""
    if count is None or count >= len(members):
        return list(members)
    chosen = np.random.default_rng(seed).permutation(len(members))[:count]
    return [members[i] for i in sorted(chosen)]


def read_photos(members: Sequence[tuple[Path, str]]) -> Iterator[tuple[str, Photo]]:
    """Yields name and photo of each member that can be read; the others are named in the log."""
    for name, data in read_members(members):
        try:
            yield name, read_photo(data)
        except PhotoError as error:
            logger.warning("left out %s: %s", name, error)


def read_squares(
    source: DataSource, side: int, *, count: int | None = None, seed: int = 0
) -> list[SquarePhoto]:
    """Colour photos of a source as squares, those without colour left out.

    Args:
        source: Where they are.
        side: Pixels of each side.
        count: At most so many, drawn by seed.
        seed: Of the draw.

    Raises:
        EvaluationError: No photo can be read, or all of them are grey.
    """
    squares, num_read = [], 0
    for name, photo in read_photos(choose(source.members(), count, seed)):
        num_read += 1
        if photo.has_color:
            squares.append(SquarePhoto.of(name, photo.rgb, side))
    if not num_read:
        raise EvaluationError(f"{source.name}: none of its photos can be read")
    if not squares:
        raise EvaluationError(
            f"{source.name}: all {num_read} photos are grey; a measurement needs true colours"
        )
    return squares


def mean_colors(source: DataSource, *, count: int = 2000, seed: int = 0) -> Floats:
    """Mean ab (K, 2) float32 of each colour photo, at most `count` of them, drawn by seed."""
    found = [
        lab.rgb_to_lab(photo.rgb)[..., 1:].mean(axis=(0, 1))
        for _, photo in read_photos(choose(source.members(), count, seed))
        if photo.has_color
    ]
    return np.asarray(found, np.float32).reshape(-1, 2)
