"""The models of one worker process, each loaded when it is first asked for.

Called by `webapp.workbench`.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import numpy as np

from huefield.colorizer import Backend, Colorizer
from huefield.networks import (
    MissingGpuError,
    ModelError,
    ModelInfo,
    Provider,
    list_models,
    load_model,
)
from huefield.photo import Photo
from webapp.problems import ProblemError

_log = logging.getLogger(__name__)


class Models:
    """The models under a folder; safe for several threads."""

    def __init__(
        self, folder: Path, *, default: str, provider: Provider, solver: Backend, require_gpu: bool
    ) -> None:
        self._folder = folder
        self._wanted_default = default
        self._provider: Provider = "cuda" if require_gpu else provider
        self._backend = solver
        self._infos = {info.name: info for info in list_models(folder)} if folder.is_dir() else {}
        self._colorizers: dict[str, Colorizer] = {}
        self._loading = threading.Lock()
        self._missing_gpu: str | None = None

    def all(self) -> list[ModelInfo]:
        """The installed models, by name."""
        return list(self._infos.values())

    def default(self) -> str:
        """The model to use when none is named; the configured one if it is there."""
        if self._wanted_default in self._infos or not self._infos:
            return self._wanted_default
        return next(iter(self._infos))

    def running_on(self) -> str | None:
        """Where the first loaded model runs; None until one is loaded."""
        loaded = list(self._colorizers.values())
        return loaded[0].networks.provider if loaded else None

    @property
    def problem(self) -> str | None:
        """What keeps models from colouring, in words."""
        return self._missing_gpu or (None if self._infos else "no model is installed")

    def find(self, name: str) -> ModelInfo | None:
        """What a model says of itself, or None where there is no such model."""
        return self._infos.get(name)

    def info(self, name: str) -> ModelInfo:
        """What a model says of itself.

        Raises:
            ProblemError: 422 or 503 where there is no such model.
        """
        if name not in self._infos:
            installed = ", ".join(self._infos) or "none"
            raise ProblemError(
                422 if self._infos else 503,
                "model-unknown",
                "There is no such model",
                f"model: {name!r} is not installed; installed: {installed}",
            )
        return self._infos[name]

    def colorizer(self, name: str) -> Colorizer:
        """A model, loaded.

        Raises:
            ProblemError: 503 where a GPU is required and there is none.
        """
        with self._loading:
            if name not in self._colorizers:
                try:
                    networks = load_model(self._folder / name, self._provider)
                except MissingGpuError as error:
                    self._missing_gpu = str(error)
                    raise ProblemError(503, "no-gpu", "No GPU", str(error)) from None
                self._colorizers[name] = Colorizer(networks, self._backend)
            return self._colorizers[name]

    def warm(self) -> str | None:
        """Loads the default model, runs it once on a small grey square, and names its solver.

        None, and words in the log, where that cannot be.
        """
        if not self._infos:
            return None
        side = 64
        ramp = np.tile(np.linspace(0.0, 100.0, side, dtype=np.float32), (side, 1))
        pixels = np.zeros((side, side, 3), np.uint8)
        square = Photo(lightness=ramp, rgb=pixels, has_color=False, format="png", exif=b"")
        try:
            return self.colorizer(self.default()).open(square).solver_name
        except (ProblemError, ModelError) as error:
            _log.error("%s", error)
            return None
