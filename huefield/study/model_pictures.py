"""Colourings for a study straight from installed models, earlier methods among them.

Ours come with or without the G-CRF.
"""

from __future__ import annotations

from pathlib import Path

from huefield.baselines import Baseline, baseline_folders, load_baseline
from huefield.colorizer import Colorizer
from huefield.lab import Bytes
from huefield.networks import MissingGpuError, ModelError, Networks, load_model, model_folders
from huefield.photo import Photo
from huefield.rendering import Renderer
from huefield.study.definition import ModelSource
from huefield.study.records import StudyError


class ModelColorer:
    """Colours photos as the methods of a study ask for; loads each model once.

    Args:
        root: folder of model folders.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._models: dict[str, Networks | Baseline] = {}

    def __call__(self, source: ModelSource, photo: Photo) -> Bytes:
        """The photo coloured, (H, W, 3) uint8; the same bytes for the same arguments.

        Raises:
            StudyError: the model is not installed or broken.
        """
        networks = self._load(source.model)
        if isinstance(networks, Baseline):
            field = networks.samples(photo, source.sample, source.seed)[-1]
            return Renderer(photo.lightness).render(field)
        opened = Colorizer(networks, anticipate=False).open(photo)
        sample = opened.samples(source.sample, source.seed)[source.sample - 1]
        if source.gcrf:
            return opened.render(sample)
        return Renderer(photo.lightness).render(opened.unary(sample))

    def _load(self, name: str) -> Networks | Baseline:
        if name not in self._models:
            ours = [folder.name for folder in model_folders(self._root)]
            earlier = [folder.name for folder in baseline_folders(self._root)]
            if name not in ours + earlier:
                there = ", ".join(sorted(ours + earlier)) or "none"
                raise StudyError(f"no model '{name}' under {self._root}; there are: {there}")
            folder = self._root / name
            try:
                self._models[name] = (
                    load_baseline(folder) if name in earlier else load_model(folder, "cpu")
                )
            except (ModelError, MissingGpuError) as error:
                raise StudyError(f"model '{name}': {error}") from error
        return self._models[name]
