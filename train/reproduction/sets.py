"""The photo sets of the paper's tables, as this project has them.

Called by the parts of `train.reproduce`. Faces are the paper's LFW; buildings stand in for its
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
        held_share: where above 0, photos below `train/` are measured on in place of those below
            `test/`: this share of them, which no training sees.
        points: file and folder of the photos that show points, where they are others.
    """

    name: str
    zips: tuple[str, ...]
    test: str
    include: tuple[str, ...] = ("*",)
    held_share: float = 0.0
    points: tuple[str, str] | None = None

    def sources(self, data: Path) -> list[Path]:
        """The zips that are trained on."""
        return [data / name for name in self.zips]

    @property
    def train_patterns(self) -> tuple[str, ...]:
        """Patterns of the members that are trained on."""
        return tuple(f"train/{pattern}" for pattern in self.include)

    def train_source(self, data: Path) -> DataSource:
        """The photos that are trained on, of the zip that is measured on."""
        return DataSource(data / self.test, "train", self.include)

    def test_source(self, data: Path) -> DataSource:
        """The photos that are measured on."""
        if self.held_share:
            return DataSource(data / self.test, "train", self.include, self.held_share)
        return DataSource(data / self.test, "test", self.include)

    def points_source(self, data: Path) -> DataSource:
        """The photos that show points."""
        if self.points is None:
            return self.test_source(data)
        file, folder = self.points
        return DataSource(data / file, folder)


# Test photos of MiniPlaces do not say what they show. So buildings are measured on what all
# trainings keep for validation, also that of the photos model, from which the shipped one started.
SETS = {
    photo_set.name: photo_set
    for photo_set in (
        PhotoSet("faces", ("lfw.zip",), "lfw.zip"),
        PhotoSet("buildings", ("places.zip",), "places.zip", BUILDINGS, held_share=0.01),
        PhotoSet(
            "photos",
            ("tinyimagenet.zip", "places.zip"),
            "places.zip",
            points=("photos.zip", "imagenet"),
        ),
    )
}
