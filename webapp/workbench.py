"""What one worker process holds to colour photos: models and opened photos, made at first use.

Nothing is loaded before the first request (or ``warm``), so that sessions are born after gunicorn
forks. Everything here can be made again from the stored photo, by any worker.
"""

from __future__ import annotations

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

from huefield.colorizer import Backend, OpenPhoto
from huefield.networks import CUDA_PROVIDER, ModelInfo, Provider
from huefield.photo import Photo, read_photo, write_photo
from huefield.photo_cache import PhotoCache
from huefield.sample import Sample
from huefield.upsample import grid_shape
from webapp.finishing import Finish, color_layer, put_mark
from webapp.forms import ColorizationRequest
from webapp.models import Models
from webapp.notes import edits_of, model_of, sample_note, stored_sample
from webapp.previews import color_preview, grey_preview, to_webp
from webapp.storage import PhotoStore, StoredColorization, StoredPhoto, colorization_key

Floats = NDArray[np.float32]


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
        self._models = Models(
            models, default=default_model, provider=provider, solver=solver, require_gpu=require_gpu
        )
        self._limits = {"max_pixels": max_pixels, "max_bytes": max_bytes}
        self._opened = PhotoCache(cache_bytes)
        self._locks: LRUCache[str, threading.Lock] = LRUCache(1024)
        self._photos: LRUCache[str, Photo] = LRUCache(cache_bytes // 2, getsizeof=_photo_bytes)
        self._guard = threading.Lock()
        # As many heavy steps at once as processors: the other threads stay free to answer.
        self._turns = threading.BoundedSemaphore(max(1, os.cpu_count() or 1))
        self._solver_name: str | None = None

    def models(self) -> list[ModelInfo]:
        """The installed models, by name."""
        return self._models.all()

    def default_model(self) -> str:
        """The model that colours when a request names none; the configured one if it is there."""
        return self._models.default()

    def warm(self) -> None:
        """Load the default model and run it once."""
        self._solver_name = self._models.warm() or self._solver_name

    def health(self) -> Health:
        """What this worker runs on."""
        provider = self._models.running_on()
        return Health(
            models=[info.name for info in self._models.all()],
            provider=provider,
            solver=self._solver_name,
            gpu=provider == CUDA_PROVIDER,
            problem=self._models.problem,
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
        for info in self._models.all():
            self._opened.discard((stored.id, info.name))

    def photo(self, stored: StoredPhoto) -> Photo:
        """A stored photo, opened; kept for a while."""
        with self._guard:
            photo = self._photos.get(stored.id)
        if photo is None:
            photo = read_photo(self._store.read(stored), **self._limits)
            self.remember(stored, photo)
        return photo

    def turn(self) -> threading.BoundedSemaphore:
        """What a heavy step holds while it runs."""
        return self._turns

    def grid_size(self, stored: StoredPhoto, model: str | None = None) -> list[int]:
        """Width and height of the working grid under a model, the default one if none is named."""
        info = self._models.find(model or self.default_model())
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
        info = self._models.info(wanted.model)
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
            yield stored_sample(kept, index)
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
        with self._open(stored, model_of(made)) as photo, self._turns:
            return to_webp(photo.render(stored_sample(made, index), side))

    def download(
        self,
        stored: StoredPhoto,
        made: StoredColorization,
        index: int,
        finish: Finish,
    ) -> bytes:
        """One sample at the photo's own size as a file."""
        model = model_of(made)
        with self._open(stored, model) as photo, self._turns:
            rgb = photo.render(stored_sample(made, index), tone=finish.tone)
            if finish.layer:
                rgb = color_layer(rgb)
            if finish.mark:
                put_mark(rgb)
            return write_photo(rgb, finish.format, exif=photo.photo.exif, model=model)

    def unary(self, stored: StoredPhoto, made: StoredColorization, index: int) -> Floats:
        """What the decoder said for a sample before the G-CRF: (h, w, 2) float32, ab."""
        with self._open(stored, model_of(made)) as photo, self._turns:
            return photo.unary(stored_sample(made, index))

    def original(self, stored: StoredPhoto, side: int) -> bytes:
        """The photo with its own colours as WebP."""
        photo = self.photo(stored)
        with self._turns:
            return color_preview(photo.rgb, side)

    def grey(self, stored: StoredPhoto, side: int) -> bytes:
        """The photo's lightness as WebP."""
        photo = self.photo(stored)
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
        """JSON: each cell's posterior deviation and how much a stroke there helps.

        Both under the edits of a colouring if one is given.
        """
        edits = None if made is None else edits_of(made)
        fields = None if made is None else made.fields
        with self._open(stored, model) as photo, self._turns:
            return {
                "grid": list(photo.grid)[::-1],
                "values": _numbers(photo.uncertainty(edits)),
                "helps": _numbers(photo.helps(fields)),
            }

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
        self._models.info(model)

        def open_photo() -> OpenPhoto:
            colorizer = self._models.colorizer(model)
            photo = self.photo(stored)
            with self._turns:
                return colorizer.open(photo)

        with self._opened.using((stored.id, model), open_photo) as opened:
            self._solver_name = opened.solver_name
            yield opened

    def _lock_of(self, stored: StoredPhoto) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(stored.id, threading.Lock())


def _last(entries: Iterator[Sample | StoredColorization]) -> StoredColorization:
    """The colouring that a stream ends with."""
    for entry in entries:
        if isinstance(entry, StoredColorization):
            return entry
    raise AssertionError("a stream ends with its colouring")


def _photo_bytes(photo: Photo) -> int:
    return photo.lightness.nbytes + photo.rgb.nbytes


def _numbers(values: NDArray[np.float32]) -> list[float]:
    """The values row by row with five digits, which is more than a screen shows."""
    return [float(f"{value:.5g}") for value in values.ravel()]
