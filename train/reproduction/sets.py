"""The photo sets of the paper's tables, as this project has them.

Called by the tables of `train.reproduce`. Faces are the paper's LFW; buildings stand in for its
LSUN-Church and photos for its ILSVRC-2015.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from train.evaluation.photos import DataSource

BUILDINGS = (
    "church__outdoor_*",
    "abbey_*",
    "palace_*",
    "monastery__outdoor_*",
    "temple__east_asia_*",
)


@dataclass(frozen=True)
class PhotoSet:
    """One set.

    Attributes:
        name: of the set, and of our model for it.
        zips: files below the data folder that are trained on, members below `train/`.
        test: which of them is measured on, members below `test/`.
        include: patterns below `train/` and `test/`.
    """

    name: str
    zips: tuple[str, ...]
    test: str
    include: tuple[str, ...] = ("*",)

    def sources(self, data: Path) -> list[Path]:
        """The zips that are trained on."""
        return [data / name for name in self.zips]

    @property
    def train_patterns(self) -> tuple[str, ...]:
        """Patterns of the members that are trained on."""
        return tuple(f"train/{pattern}" for pattern in self.include)

    def test_source(self, data: Path) -> DataSource:
        """The photos that are measured on."""
        return DataSource(data / self.test, "test", self.include)


SETS = {
    photo_set.name: photo_set
    for photo_set in (
        PhotoSet("faces", ("lfw.zip",), "lfw.zip"),
        PhotoSet("buildings", ("places.zip",), "places.zip", BUILDINGS),
        PhotoSet("photos", ("tinyimagenet.zip", "places.zip"), "places.zip"),
    )
}
