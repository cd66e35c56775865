"""The earlier methods that one worker process can run beside our models.

Diverse ones lie among the models as folders of their own, each loaded when it is first asked for;
those that spread strokes need no weights, and no torch. Called by `webapp.comparisons`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from huefield.baseline_info import read_baseline_info
from huefield.baselines import Baseline, baseline_folders, load_baseline
from huefield.model_info import ModelError
from huefield.photo import Photo
from huefield.upsample import grid_ab, grid_lightness, grid_shape
from train.baselines import interactive
from webapp.forms import ComparisonRequest, wrong
from webapp.problems import ProblemError

Floats = NDArray[np.float32]

# Each runs on one thread, so that whoever paints meanwhile is not kept waiting.
MOST_IN_FLIGHT = 2
CACHE_BYTES = 64_000_000  # of graphs held loaded
USUAL_SAMPLES = 6
STROKE_CELLS = 9216  # of the field that a stroke method's 256 x 256 pixels are brought to
_STROKE_SOURCES = {
    interactive.LEVIN: "Levin, Lischinski, Weiss 2004, Colorization using Optimization",
    interactive.BARRON: "Barron & Poole 2016, The Fast Bilateral Solver",
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Method:
    """An earlier method on offer.

    Attributes:
        name: Unique here; for a diverse one that of its folder.
        title: What people call it.
        kind: "samples" draws several from a seed, "strokes" spreads what was painted.
        description: What it was trained on, in words; empty where nothing was trained.
        source: Where it was published.
        version: Changes with everything that its results depend on besides the request.
    """

    name: str
    title: str
    kind: Literal["samples", "strokes"]
    description: str
    source: str
    version: str


class Methods:
    """The earlier methods under a folder of models, and those without weights; thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._methods: dict[str, Method] = {}
        self._broken: dict[str, str] = {}
        self._loaded: LRUCache[str, Baseline] = LRUCache(CACHE_BYTES, getsizeof=self._graph_bytes)
        self._loading = threading.Lock()
        self._free = threading.BoundedSemaphore(MOST_IN_FLIGHT)
        self._seconds: dict[str, float] = {}
        for path in baseline_folders(folder):
            try:
                info = read_baseline_info(path)
            except ModelError as error:
                _log.error("%s", error)
                self._broken[path.name] = str(error)
                continue
            version = " ".join(info.sha256[file] for file in info.graph_files)
            self._methods[path.name] = Method(
                path.name, info.title, "samples", info.description, info.source, version
            )
        for name, source in _STROKE_SOURCES.items():
            opened = interactive.open_method(name)
            self._methods.setdefault(
                name, Method(name, opened.title, "strokes", "", source, opened.settings)
            )

    def all(self) -> list[Method]:
        """Every method that can be asked, the diverse ones first, each kind by name."""
        return list(self._methods.values())

    def seconds(self, name: str) -> float | None:
        """How long this worker's last answer of a method took; None before the first."""
        return self._seconds.get(name)

    def find(self, name: str) -> Method:
        """The method of a name.

        Raises:
            ProblemError: 422 where there is none, 503 where its folder is broken.
        """
        if name in self._broken:
            raise _unavailable(name, self._broken[name])
        if name not in self._methods:
            offered = ", ".join(self._methods)
            raise ProblemError(
                422,
                "method-unknown",
                "There is no such method",
                f"method: {name!r} is not on offer; on offer: {offered}",
            )
        return self._methods[name]

    def completed(self, wanted: ComparisonRequest) -> ComparisonRequest:
        """The request with its number of samples, checked against what the method can do.

        Raises:
            ProblemError: 422 for members that the method cannot follow, or as `find`.
        """
        method = self.find(wanted.method)
        if method.kind == "samples":
            if wanted.edits is not None:
                raise wrong("edits", f"{method.title} follows no strokes; leave them out")
            return replace(wanted, samples=wanted.samples or USUAL_SAMPLES)
        if wanted.edits is None:
            raise wrong("edits", f"{method.title} spreads strokes, and none were given")
        if wanted.samples not in (None, 1):
            raise wrong("samples", f"{method.title} has one result; expected 1")
        return replace(wanted, samples=1)

    def fields(self, photo: Photo, wanted: ComparisonRequest) -> Floats:
        """Colour fields (n, h, w, 2) float32, ab, for a completed request.

        Raises:
            ProblemError: 503 while others are being made, or where the folder is broken.
            EditsError: no stroke gives a colour to a pixel of the photo.
        """
        with self._turn(wanted.method):
            if self._methods[wanted.method].kind == "samples":
                baseline = self._baseline(wanted.method)
                return baseline.samples(photo, wanted.samples or USUAL_SAMPLES, wanted.seed)
            assert wanted.edits is not None  # noqa: S101
            scale = min(1.0, (interactive.WORKING_PIXELS / (photo.height * photo.width)) ** 0.5)
            shape = max(2, round(photo.height * scale)), max(2, round(photo.width * scale))
            small = replace(photo, lightness=grid_lightness(photo.lightness, shape))
            ab = interactive.open_method(wanted.method).recolor(small, wanted.edits)
            return grid_ab(ab, grid_shape(photo.height, photo.width, area=STROKE_CELLS))[None]

    @contextmanager
    def _turn(self, name: str) -> Iterator[None]:
        """One of the few runs at a time, its seconds noted."""
        if not self._free.acquire(blocking=False):
            busy = ProblemError(
                503,
                "methods-busy",
                "The server is comparing already",
                f"It runs {MOST_IN_FLIGHT} methods at a time. Try again in a moment.",
            )
            busy.headers.append(("Retry-After", "5"))
            raise busy
        try:
            start = time.perf_counter()
            yield
            self._seconds[name] = round(time.perf_counter() - start, 2)
        finally:
            self._free.release()

    def _baseline(self, name: str) -> Baseline:
        with self._loading:
            baseline = self._loaded.get(name)
            if baseline is None:
                try:
                    baseline = load_baseline(self._folder / name, threads=1)
                except ModelError as error:
                    raise _unavailable(name, str(error)) from error
                if self._graph_bytes(baseline) <= CACHE_BYTES:
                    self._loaded[name] = baseline
            return baseline

    def _graph_bytes(self, baseline: Baseline) -> int:
        info = baseline.info
        return sum((self._folder / info.name / file).stat().st_size for file in info.graph_files)


def _unavailable(name: str, reason: str) -> ProblemError:
    """Words for people; the reason, which names paths of the server, is for its log."""
    _log.error("%s", reason)
    return ProblemError(
        503,
        "method-unavailable",
        "This method is not available",
        f"The files of {name} are incomplete or altered; the server's log says which.",
    )
