"""What one worker process holds to colour photos: models and opened photos, made at first use.

Nothing is loaded before the first request (or ``warm``), so that sessions are born after gunicorn
forks. Everything here can be made again from the stored photo, by any worker.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from huefield.colorizer import Backend, Colorizer, OpenPhoto, Sample
from huefield.networks import (
    CUDA_PROVIDER,
    MissingGpuError,
    ModelError,
    ModelInfo,
    Provider,
    list_models,
    load_model,
)
from huefield.photo import Photo, read_photo, write_photo
from huefield.photo_cache import PhotoCache
from huefield.strokes import Edits, parse_edits
from huefield.upsample import grid_shape
from webapp.finishing import Finish, color_layer, put_mark
from webapp.forms import ColorizationRequest, pick_to_json, read_pick
from webapp.previews import color_preview, grey_preview, to_webp
from webapp.problems import ProblemError
from webapp.storage import PhotoStore, StoredColorization, StoredPhoto, colorization_key

Floats = NDArray[np.float32]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Health:
    """What a worker runs on; provider and solver are None until the first model is loaded."""

    models: list[str]
    provider: str | None
    solver: str | None
    gpu: bool
    problem: str | None
    open_photos: int
    open_bytes: int


class Workbench:
    """Colours stored photos; safe for several threads."""

    def __init__(
        self,
        store: PhotoStore,
        *,
        models: Path,
        default_model: str,
        provider: Provider,
        solver: Backend,
        require_gpu: bool,
        cache_bytes: int,
        max_pixels: int,
        max_bytes: int,
    ) -> None:
        self._store = store
        self._folder = models
        self._wanted_default = default_model
        self._provider = provider
        self._backend = solver
        self._require_gpu = require_gpu
        self._limits = {"max_pixels": max_pixels, "max_bytes": max_bytes}
        self._infos = {info.name: info for info in list_models(models)} if models.is_dir() else {}
        self._colorizers: dict[str, Colorizer] = {}
        self._loading = threading.Lock()
        self._opened = PhotoCache(cache_bytes)
        self._locks: LRUCache[str, threading.Lock] = LRUCache(1024)
        self._photos: LRUCache[str, Photo] = LRUCache(cache_bytes // 2, getsizeof=_photo_bytes)
        self._guard = threading.Lock()
        # As many heavy steps at once as processors: the other threads stay free to answer.
        self._turns = threading.BoundedSemaphore(max(1, os.cpu_count() or 1))
        self._solver_name: str | None = None
        self._problem: str | None = None

    def models(self) -> list[ModelInfo]:
        """The installed models, by name."""
        return list(self._infos.values())

    def default_model(self) -> str:
        """The model that colours when a request names none; the configured one if it is there."""
        if self._wanted_default in self._infos or not self._infos:
            return self._wanted_default
        return next(iter(self._infos))

    def warm(self) -> None:
        """Load the default model and run it once on a small grey square."""
        if not self._infos:
            return
        side = 64
        ramp = np.tile(np.linspace(0.0, 100.0, side, dtype=np.float32), (side, 1))
        square = Photo(
            lightness=ramp,
            rgb=np.zeros((side, side, 3), np.uint8),
            has_color=False,
            format="png",
            exif=b"",
        )
        try:
            opened = self._colorizer(self.default_model()).open(square)
        except (ProblemError, ModelError) as error:
            _log.error("%s", error)
            return
        self._solver_name = opened.solver_name

    def health(self) -> Health:
        """What this worker runs on."""
        loaded = list(self._colorizers.values())
        provider = loaded[0].networks.provider if loaded else None
        return Health(
            models=list(self._infos),
            provider=provider,
            solver=self._solver_name,
            gpu=provider == CUDA_PROVIDER,
            problem=self._problem or (None if self._infos else "no model is installed"),
            open_photos=len(self._opened),
            open_bytes=self._opened.nbytes,
        )

    def remember(self, stored: StoredPhoto, photo: Photo) -> None:
        """Keep a photo that was just read, so that colouring it need not read it again."""
        with self._guard:
            if _photo_bytes(photo) <= self._photos.maxsize:
                self._photos[stored.id] = photo

    def forget(self, stored: StoredPhoto) -> None:
        """Let go of all that is held for a photo."""
        with self._guard:
            self._photos.pop(stored.id, None)
            self._locks.pop(stored.id, None)
        for name in self._infos:
            self._opened.discard((stored.id, name))

    def grid_size(self, stored: StoredPhoto, model: str | None = None) -> list[int]:
        """Width and height of the working grid under a model, the default one if none is named."""
        info = self._infos.get(model or self.default_model())
        if info is None:
            return list(grid_shape(stored.height, stored.width))[::-1]
        area, multiple = info.grid_area, info.multiple
        return list(grid_shape(stored.height, stored.width, area=area, multiple=multiple))[::-1]

    def colorize(self, stored: StoredPhoto, wanted: ColorizationRequest) -> StoredColorization:
        """The samples for a request: those kept from before, or new ones, which are kept too."""
        return _last(self.stream(stored, wanted))

    def stream(
        self, stored: StoredPhoto, wanted: ColorizationRequest
    ) -> Iterator[Sample | StoredColorization]:
        """Each sample for a request as soon as it is ready, at last all of them as they are kept.

        A draft is neither looked for nor kept: its last entry is for this answer alone.
        """
        info = self._info(wanted.model)
        identity = wanted.identity()
        key = colorization_key({**identity, "weights": dict(info.sha256)})
        if wanted.draft:
            yield from self._made(stored, wanted, key)
            return
        kept = self._store.load_colorization(stored, key)
        if kept is None:
            with self._lock_of(stored):
                # One lock a photo: a second request with the same wish finds the first's answer.
                kept = self._store.load_colorization(stored, key)
                if kept is None:
                    for entry in self._made(stored, wanted, key):
                        if isinstance(entry, StoredColorization):
                            self._store.save_colorization(stored, entry)
                        yield entry
                    return
        for index in range(len(kept.fields)):
            yield _sample(kept, index)
        yield kept

    def _made(
        self, stored: StoredPhoto, wanted: ColorizationRequest, key: str
    ) -> Iterator[Sample | StoredColorization]:
        samples: list[Sample] = []
        spent = 0.0
        with self._open(stored, wanted.model) as photo:
            if wanted.condition:
                coming = iter(
                    photo.samples(wanted.samples, wanted.seed, wanted.edits, condition=True)
                )
            else:
                coming = photo.stream(wanted.picks, wanted.edits)
            while True:
                # Whoever reads slowly holds no turn.
                with self._turns:
                    start = time.perf_counter()
                    sample = next(coming, None)
                    spent += time.perf_counter() - start
                if sample is None:
                    break
                samples.append(sample)
                yield sample
            seconds = {**photo.timings, "samples": spent}
        yield StoredColorization(
            key=key,
            document={
                **wanted.identity(),
                "samples": [sample_note(sample) for sample in samples],
                "seconds": {step: round(value, 4) for step, value in seconds.items()},
            },
            fields=np.stack([sample.field for sample in samples]),
            codes=np.stack([sample.z for sample in samples]),
        )

    def preview(
        self, stored: StoredPhoto, made: StoredColorization, index: int, side: int
    ) -> bytes:
        """One sample as WebP; ``side``: pixels of its longer side, at most the photo's own."""
        with self._open(stored, _model_of(made)) as photo, self._turns:
            return to_webp(photo.render(_sample(made, index), side))

    def download(
        self,
        stored: StoredPhoto,
        made: StoredColorization,
        index: int,
        finish: Finish,
    ) -> bytes:
        """One sample at the photo's own size as a file."""
        model = _model_of(made)
        with self._open(stored, model) as photo, self._turns:
            rgb = photo.render(_sample(made, index), tone=finish.tone)
            if finish.layer:
                rgb = color_layer(rgb)
            if finish.mark:
                put_mark(rgb)
            return write_photo(rgb, finish.format, exif=photo.photo.exif, model=model)

    def unary(self, stored: StoredPhoto, made: StoredColorization, index: int) -> Floats:
        """What the decoder said for a sample before the G-CRF: (h, w, 2) float32, ab."""
        with self._open(stored, _model_of(made)) as photo, self._turns:
            return photo.unary(_sample(made, index))

    def original(self, stored: StoredPhoto, side: int) -> bytes:
        """The photo with its own colours as WebP."""
        photo = self._photo(stored)
        with self._turns:
            return color_preview(photo.rgb, side)

    def grey(self, stored: StoredPhoto, side: int) -> bytes:
        """The photo's lightness as WebP."""
        photo = self._photo(stored)
        with self._turns:
            return grey_preview(photo.lightness, side)

    def influence(self, stored: StoredPhoto, model: str, x: float, y: float) -> dict[str, object]:
        """JSON: what the cell at (x, y) listens to, and what a stroke there would change."""
        with self._open(stored, model) as photo, self._turns:
            listens, reaches = photo.influence(x, y)
        return {
            "grid": list(photo.grid)[::-1],
            "cell": photo.cell(x, y),
            "listens": _numbers(listens),
            "reaches": _numbers(reaches),
        }

    def uncertainty(
        self, stored: StoredPhoto, model: str, made: StoredColorization | None = None
    ) -> dict[str, object]:
        """JSON: the posterior deviation of each cell, under the edits of a colouring if given."""
        edits = None if made is None else _edits_of(made)
        with self._open(stored, model) as photo, self._turns:
            return {"grid": list(photo.grid)[::-1], "values": _numbers(photo.uncertainty(edits))}

    def palette(self, stored: StoredPhoto, model: str, x: float, y: float) -> dict[str, object]:
        """JSON: colours that suit the place, the likeliest first."""
        with self._open(stored, model) as photo, self._turns:
            found = photo.palette(x, y)
        return {
            "colors": [
                {"color": entry.color, "ab": list(entry.ab), "share": round(entry.share, 4)}
                for entry in found
            ]
        }

    @contextmanager
    def _open(self, stored: StoredPhoto, model: str) -> Iterator[OpenPhoto]:
        """The photo under a model, held while it is used."""
        self._info(model)

        def open_photo() -> OpenPhoto:
            colorizer = self._colorizer(model)
            photo = self._photo(stored)
            with self._turns:
                return colorizer.open(photo)

        with self._opened.using((stored.id, model), open_photo) as opened:
            self._solver_name = opened.solver_name
            yield opened

    def _photo(self, stored: StoredPhoto) -> Photo:
        with self._guard:
            photo = self._photos.get(stored.id)
        if photo is None:
            photo = read_photo(self._store.read(stored), **self._limits)
            self.remember(stored, photo)
        return photo

    def _info(self, model: str) -> ModelInfo:
        if model not in self._infos:
            installed = ", ".join(self._infos) or "none"
            raise ProblemError(
                422 if self._infos else 503,
                "model-unknown",
                "There is no such model",
                f"model: {model!r} is not installed; installed: {installed}",
            )
        return self._infos[model]

    def _colorizer(self, model: str) -> Colorizer:
        with self._loading:
            if model not in self._colorizers:
                provider: Provider = "cuda" if self._require_gpu else self._provider
                try:
                    networks = load_model(self._folder / model, provider)
                except MissingGpuError as error:
                    self._problem = str(error)
                    raise ProblemError(503, "no-gpu", "No GPU", str(error)) from None
                self._colorizers[model] = Colorizer(networks, self._backend)
            return self._colorizers[model]

    def _lock_of(self, stored: StoredPhoto) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(stored.id, threading.Lock())


def _model_of(made: StoredColorization) -> str:
    return str(made.document["model"])


def _sample(made: StoredColorization, index: int) -> Sample:
    """A sample as the colorizer gave it."""
    samples = made.document["samples"]
    note = samples[index] if isinstance(samples, list) else {}
    return Sample(
        index=index,
        seed=int(note["seed"]),
        pick=read_pick(note["pick"]) if note["pick"] else None,
        component=int(note["component"]),
        log_prob=float("nan") if note["log_prob"] is None else float(note["log_prob"]),
        fit=float("nan") if note["fit"] is None else float(note["fit"]),
        z=made.codes[index],
        field=made.fields[index],
        edits=_edits_of(made),
    )


def _edits_of(made: StoredColorization) -> Edits | None:
    given = made.document["edits"]
    return parse_edits(given) if isinstance(given, dict) else None


def sample_note(sample: Sample) -> dict[str, object]:
    """What is told of a sample besides its colours."""
    return {
        "index": sample.index,
        "seed": sample.seed,
        "component": sample.component,
        "log_prob": _finite(sample.log_prob),
        "fit": _finite(sample.fit),
        "pick": None if sample.pick is None else pick_to_json(sample.pick),
    }


def _last(entries: Iterator[Sample | StoredColorization]) -> StoredColorization:
    """The colouring that a stream ends with."""
    for entry in entries:
        if isinstance(entry, StoredColorization):
            return entry
    raise AssertionError("a stream ends with its colouring")


def _photo_bytes(photo: Photo) -> int:
    return photo.lightness.nbytes + photo.rgb.nbytes


def _finite(value: float) -> float | None:
    return round(value, 6) if np.isfinite(value) else None


def _numbers(values: NDArray[np.float32]) -> list[float]:
    """The values row by row with five digits, which is more than a screen shows."""
    return [float(f"{value:.5g}") for value in values.ravel()]
