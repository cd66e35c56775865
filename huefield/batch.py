"""One photo file to its colourings on disk, for `huefield colorize`.

Pictures are encoded in a thread while the next one is rendered; every file appears whole or not at
all.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huefield.colorizer import Colorizer, OpenPhoto, Sample
from huefield.gcrf import GcrfError
from huefield.photo import Photo, PhotoError, read_photo, write_photo
from huefield.strokes import Edits

FAST_PIXELS = 6_000_000  # larger pictures are compressed quickly rather than well
_ASPECT_TOLERANCE = 0.01


class RefusedPhotoError(ValueError):
    """A photo that cannot be coloured; the message is one clear line."""


@dataclass(frozen=True)
class Order:
    """What is wanted of each photo.

    Attributes:
        out: folder of the results.
        samples: how many colourings.
        seed: of the latent codes.
        edits: strokes and ties, if any.
        condition: whether samples are chosen to suit the edits.
        file_format: "png", "jpg" or "webp".
    """

    out: Path
    samples: int
    seed: int
    edits: Edits | None
    condition: bool
    file_format: str


def colorize_file(colorizer: Colorizer, path: Path, order: Order) -> Path:
    """The JSON file that lists the colourings written for a photo file.

    Raises:
        RefusedPhotoError: the file cannot be read, is no photo, does not fit the edits, or a result
            cannot be written.
    """
    start = time.perf_counter()
    seconds: dict[str, float] = {}
    try:
        photo = read_photo(path.read_bytes())
    except OSError as error:
        raise RefusedPhotoError(f"cannot be read: {error.strerror or error}") from error
    except PhotoError as error:
        raise RefusedPhotoError(str(error)) from error
    seconds["read"] = time.perf_counter() - start
    _check_size(photo, order.edits)
    try:
        opened = colorizer.open(photo)
        samples = opened.samples(order.samples, order.seed, order.edits, condition=order.condition)
        seconds |= opened.timings
        before = time.perf_counter()
        names = _write_pictures(opened, samples, path.stem, order, colorizer)
        seconds["render and write"] = time.perf_counter() - before
        seconds["total"] = time.perf_counter() - start
        report = _report(colorizer, opened, path, order, list(zip(samples, names, strict=True)))
        report["seconds"] = {step: round(value, 4) for step, value in seconds.items()}
        target = order.out / f"{path.stem}.json"
        text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False)
        _write_whole(target, (text + "\n").encode())
    except GcrfError as error:
        raise RefusedPhotoError(str(error)) from error
    except PhotoError as error:
        raise RefusedPhotoError(str(error)) from error
    except OSError as error:
        raise RefusedPhotoError(f"results cannot be written: {error.strerror or error}") from error
    return target


def _check_size(photo: Photo, edits: Edits | None) -> None:
    """Refuses edits that were drawn on a picture of another shape."""
    if edits is None:
        return
    width, height = edits.size
    if abs(width * photo.height / (height * photo.width) - 1.0) > _ASPECT_TOLERANCE:
        raise RefusedPhotoError(
            f"the edits are for a photo of {width} x {height}, "
            f"this one has {photo.width} x {photo.height}"
        )


def _write_pictures(
    opened: OpenPhoto, samples: list[Sample], stem: str, order: Order, colorizer: Colorizer
) -> list[str]:
    """Renders and writes each sample; the names of the files."""
    model = colorizer.networks.info.name
    fast = opened.photo.lightness.size > FAST_PIXELS

    def write(rgb: NDArray[np.uint8], target: Path) -> None:
        data = write_photo(rgb, order.file_format, exif=opened.photo.exif, model=model, fast=fast)
        _write_whole(target, data)

    names = []
    with ThreadPoolExecutor(max_workers=1) as writer:
        pending: Future[None] | None = None
        for sample in samples:
            rgb = opened.render(sample)
            if pending is not None:
                pending.result()  # at most two pictures are in memory
            names.append(f"{stem}-{sample.index + 1}.{order.file_format}")
            pending = writer.submit(write, rgb, order.out / names[-1])
        if pending is not None:
            pending.result()
    return names


def _report(
    colorizer: Colorizer,
    opened: OpenPhoto,
    path: Path,
    order: Order,
    results: list[tuple[Sample, str]],
) -> dict[str, Any]:
    """What `<stem>.json` says, less the times."""
    edited = order.edits is not None
    return {
        "photo": path.name,
        "size": list(opened.photo.size),
        "model": colorizer.networks.info.name,
        "seed": order.seed,
        "provider": colorizer.networks.provider,
        "solver": opened.solver_name,
        "grid": [opened.grid[1], opened.grid[0]],
        "samples": [
            {
                "file": name,
                "component": sample.component,
                "log_prob": round(sample.log_prob, 4),
                "fit": round(sample.fit, 4) if edited else None,
            }
            for sample, name in results
        ],
    }


def _write_whole(target: Path, data: bytes) -> None:
    """Writes a file beside its target and moves it there."""
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
