"""Photos for training: folders and zips, decoded once into a memory-mapped cache.

Called by `arguments`; `batches` serves what the cache holds, `evaluate` reads the same sources.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import logging
import os
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from huefield import lab, metrics
from huefield.photo import PhotoError, read_photo
from train.config import DataConfig
from train.progress import progress_bar

logger = logging.getLogger(__name__)
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".avif", ".heic")
# What reading a member of a damaged, encrypted or exotic archive raises, or a file without access.
UNREADABLE = (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
LIMIT_SALT = "limit "  # validation photos have the smallest plain hashes: a limit needs its own


class DataError(ValueError):
    """Photos that cannot be trained on: none found, or too few left."""


def list_photos(sources: Sequence[Path], include: Sequence[str]) -> list[tuple[Path, str]]:
    """Returns (source, member) of every photo in folders and zips whose name fits a pattern.

    Raises:
        DataError: a source is neither a folder nor a zip, or nothing fits.
    """
    found: list[tuple[Path, str]] = []
    for source in sources:
        if source.is_dir():
            names = [p.relative_to(source).as_posix() for p in source.rglob("*") if p.is_file()]
        elif zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                names = [n for n in archive.namelist() if not n.endswith("/")]
        else:
            raise DataError(f"expected a folder or a zip of photos, got {source}")
        names = [n for n in names if n.lower().endswith(SUFFIXES)]
        found += [(source, n) for n in sorted(names) if any(fnmatch.fnmatch(n, p) for p in include)]
    if not found:
        raise DataError(
            f"expected photos fitting {list(include)} in {[str(s) for s in sources]}, found none"
        )
    return found


def read_members(members: Sequence[tuple[Path, str]]) -> Iterator[tuple[str, bytes]]:
    """Yields (member, bytes) in order, each zip opened once; no bytes where one cannot be read."""
    archives: dict[Path, zipfile.ZipFile] = {}
    try:
        for source, name in members:
            try:
                if source.is_dir():
                    data = (source / name).read_bytes()
                else:
                    if source not in archives:
                        archives[source] = zipfile.ZipFile(source)
                    data = archives[source].read(name)
            except UNREADABLE as error:
                logger.warning("cannot read %s of %s: %s", name, source.name, error)
                data = b""
            yield name, data
    finally:
        for archive in archives.values():
            archive.close()


class PhotoCache:
    """Photos at a short side of `side` pixels, uint8 sRGB, in one memory-mapped file.

    Attributes:
        sizes: (K, 2) int32, height and width.
        names: file names, by which the validation photos are chosen.
        labels: (K,) int32, what the file name says that the photo shows; -1 where unknown.
        num_classes: how many kinds of thing the labels tell apart.
        skipped: how many were left out, by reason.
    """

    def __init__(self, folder: Path, *, with_labels: bool) -> None:
        info = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        self.names: list[str] = info["names"]
        self.sizes = np.asarray(info["sizes"], np.int32).reshape(-1, 2)
        self.skipped: dict[str, int] = info["skipped"]
        self.labels, self.num_classes = name_labels(self.names if with_labels else [])
        if not with_labels:
            self.labels = np.full(len(self.names), -1, np.int32)
        self._starts = np.concatenate([[0], np.cumsum(self.sizes.prod(axis=1, dtype=np.int64) * 3)])
        if self.names:  # an empty file cannot be mapped
            self._pixels = np.memmap(folder / "pixels.bin", np.uint8, "r")

    def __len__(self) -> int:
        return len(self.names)

    def photo(self, index: int) -> npt.NDArray[np.uint8]:
        """Returns one photo, (h, w, 3) uint8, a view into the file."""
        height, width = self.sizes[index]
        flat = self._pixels[self._starts[index] : self._starts[index + 1]]
        view: npt.NDArray[np.uint8] = flat.reshape(height, width, 3)
        return view


def name_labels(names: Sequence[str]) -> tuple[npt.NDArray[np.int32], int]:
    """Returns what photos show by what stands before the last underscore of their names.

    Returns:
        Labels (K,), -1 where no other photo shows the same, and the number of kinds.
    """
    kinds = [name.rpartition("/")[2].rpartition("_")[0] for name in names]
    seen = Counter(kinds)
    classes = {kind: i for i, kind in enumerate(sorted(k for k, n in seen.items() if k and n > 1))}
    return np.asarray([classes.get(kind, -1) for kind in kinds], np.int32), len(classes)


def open_cache(sources: Sequence[Path], config: DataConfig, root: Path) -> PhotoCache:
    """Returns the cache of these photos under `root`, decoding them where it is not there yet.

    Broken, colourless and toned photos are skipped and counted. Memory holds one of them at a time.

    Raises:
        DataError: nothing fits, or fewer than two photos with colour are left.
    """
    members = list_photos(sources, config.include)
    limited = bool(config.limit) and len(members) > config.limit
    if limited:
        members = sorted(members, key=lambda m: name_hash(LIMIT_SALT + m[1]))[: config.limit]
    # What decides the pixels; crops, validation photos and labels are made from them each time.
    key = json.dumps(
        [[str(s.resolve()), _changed(s)] for s in sources]
        + [
            list(config.include),
            config.side,
            config.limit,
            config.min_colour,
            config.min_beyond_tint,
            len(members),
        ]
        + [LIMIT_SALT] * limited
    )
    folder = root / hashlib.sha256(key.encode()).hexdigest()[:16]
    if not (folder / "index.json").exists():
        _decode(members, config, folder)
    cache = PhotoCache(folder, with_labels=config.names)
    if len(cache) < 2:
        raise DataError(
            f"expected at least 2 photos with colour, got {len(cache)}; skipped: {cache.skipped}"
        )
    return cache


def name_hash(name: str) -> str:
    """Returns a hexadecimal hash by which photos are chosen, the same on every machine."""
    return hashlib.sha256(name.encode()).hexdigest()


def is_held(name: str, share: float) -> bool:
    """Returns whether a photo is among the share (0 to 1) that training keeps for validation."""
    return int(name_hash(name)[:8], 16) / 2**32 < share


def _changed(source: Path) -> int:
    """Returns when a zip, or anything in a folder, was last written, in ns."""
    times = [source.stat().st_mtime_ns]
    if source.is_dir():
        times += [path.stat().st_mtime_ns for path in source.rglob("*")]
    return max(times)


def _decode(members: Sequence[tuple[Path, str]], config: DataConfig, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pixels = folder / f"pixels.{os.getpid()}.tmp"
    index = folder / f"index.{os.getpid()}.tmp"
    try:
        index.write_text(json.dumps(_write_pixels(members, config, pixels)), encoding="utf-8")
        pixels.replace(folder / "pixels.bin")
        index.replace(folder / "index.json")
    finally:
        pixels.unlink(missing_ok=True)
        index.unlink(missing_ok=True)


def _write_pixels(
    members: Sequence[tuple[Path, str]], config: DataConfig, path: Path
) -> dict[str, object]:
    names: list[str] = []
    sizes: list[tuple[int, int]] = []
    skipped = {"broken": 0, "colourless": 0, "toned": 0}
    with path.open("wb") as out, progress_bar(len(members), "decode", "photo") as bar:
        for name, data in read_members(members):
            bar.update()
            try:
                rgb = _shrink(read_photo(data).rgb, config.side)
            except PhotoError as error:
                skipped["broken"] += 1
                logger.warning("skipped %s: %s", name, error)
                continue
            pixels = lab.rgb_to_lab(rgb)
            if float(np.hypot(pixels[..., 1], pixels[..., 2]).mean()) < config.min_colour:
                skipped["colourless"] += 1
            elif metrics.beyond_tint(pixels[..., 0], pixels[..., 1:]) < config.min_beyond_tint:
                skipped["toned"] += 1
            else:
                out.write(np.ascontiguousarray(rgb).tobytes())
                names.append(name)
                sizes.append(rgb.shape[:2])
    return {"names": names, "sizes": sizes, "skipped": skipped}


def _shrink(rgb: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    scale = side / min(height, width)
    size = (max(side, round(width * scale)), max(side, round(height * scale)))
    picture = Image.fromarray(rgb).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    # Very long photos are cut to three times their short side: the middle stays, memory bounded.
    left, top = max(0, size[0] - 3 * side) // 2, max(0, size[1] - 3 * side) // 2
    return np.asarray(picture.crop((left, top, size[0] - left, size[1] - top)))
