"""Photos for training: folders and zips, decoded once into a memory-mapped cache, served as batches.

A batch is a function of (seed, step) alone, so that a run can be resumed anywhere and many processes
see the slices of one and the same batch. Called by the stages.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import logging
import os
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from tqdm import tqdm

from huefield import lab
from huefield.photo import PhotoError, read_photo
from train.config import DataConfig

logger = logging.getLogger(__name__)
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".avif", ".heic")


class DataError(ValueError):
    """Photos that cannot be trained on: none found, or too few left."""


@dataclass(frozen=True)
class Batch:
    """A batch of crops on one grid.

    Attributes:
        gray: (N, 1, h, w) float32, (L - 50) / 50.
        ab: (N, 2, h, w) float32, ab / 128.
        label: (N,) int64, what the photo shows; -1 where unknown.
    """

    gray: torch.Tensor
    ab: torch.Tensor
    label: torch.Tensor

    def to(self, device: torch.device) -> Batch:
        """Returns the batch on a device, pictures with channels last."""
        pictures = [
            t.to(device).contiguous(memory_format=torch.channels_last) for t in (self.gray, self.ab)
        ]
        return Batch(pictures[0], pictures[1], self.label.to(device))


def list_photos(sources: Sequence[Path], include: Sequence[str]) -> list[tuple[Path, str]]:
    """Returns (source, member) of every photo in folders and zips whose member name fits a pattern.

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
    """Yields (member, bytes) in order, each zip opened once."""
    archives: dict[Path, zipfile.ZipFile] = {}
    try:
        for source, name in members:
            if source.is_dir():
                yield name, (source / name).read_bytes()
                continue
            if source not in archives:
                archives[source] = zipfile.ZipFile(source)
            yield name, archives[source].read(name)
    finally:
        for archive in archives.values():
            archive.close()


def beyond_tint(lightness: npt.NDArray[np.float32], ab: npt.NDArray[np.float32]) -> float:
    """Returns the RMS of ab (ab units) that a per-photo quadratic in L does not explain."""
    x = (lightness.reshape(-1) - 50.0) / 50.0
    basis = np.stack([np.ones_like(x), x, x * x], axis=1)
    flat = ab.reshape(-1, 2)
    fit, *_ = np.linalg.lstsq(basis, flat, rcond=None)
    return float(np.sqrt(np.mean((flat - basis @ fit) ** 2)))


class PhotoCache:
    """Photos at a short side of `side` pixels, uint8 sRGB, in one memory-mapped file.

    Attributes:
        sizes: (K, 2) int32, height and width.
        labels: (K,) int32; -1 where unknown.
        names: file names, by which the validation photos are chosen.
        skipped: how many were left out, by reason.
    """

    def __init__(self, folder: Path) -> None:
        info = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        self.names: list[str] = info["names"]
        self.sizes = np.asarray(info["sizes"], np.int32).reshape(-1, 2)
        self.labels = np.asarray(info["labels"], np.int32)
        self.num_classes: int = info["num_classes"]
        self.skipped: dict[str, int] = info["skipped"]
        self._starts = np.concatenate([[0], np.cumsum(self.sizes.prod(axis=1, dtype=np.int64) * 3)])
        self._pixels = np.memmap(folder / "pixels.bin", np.uint8, "r")

    def __len__(self) -> int:
        return len(self.names)

    def photo(self, index: int) -> npt.NDArray[np.uint8]:
        """Returns one photo, (h, w, 3) uint8, a view into the file."""
        height, width = self.sizes[index]
        flat = self._pixels[self._starts[index] : self._starts[index + 1]]
        view: npt.NDArray[np.uint8] = flat.reshape(height, width, 3)
        return view


def open_cache(sources: Sequence[Path], config: DataConfig, root: Path) -> PhotoCache:
    """Returns the cache of these photos under `root`, decoding them where it is not there yet.

    Broken, colourless and toned photos are skipped and counted. Memory use does not depend on their number.

    Raises:
        DataError: nothing fits, or fewer than two photos with colour are left.
    """
    members = list_photos(sources, config.include)
    if config.limit and len(members) > config.limit:
        members = sorted(members, key=lambda m: _hash(m[1]))[: config.limit]
    key = json.dumps(
        [[str(s.resolve()), s.stat().st_mtime_ns] for s in sources]
        + [
            list(config.include),
            config.side,
            config.limit,
            config.min_colour,
            config.min_beyond_tint,
            len(members),
        ]
    )
    folder = root / hashlib.sha256(key.encode()).hexdigest()[:16]
    if not (folder / "index.json").exists():
        _decode(members, config, folder)
    cache = PhotoCache(folder)
    if len(cache) < 2:
        raise DataError(
            f"expected at least 2 photos with colour, got {len(cache)}; skipped: {cache.skipped}"
        )
    return cache


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _decode(members: Sequence[tuple[Path, str]], config: DataConfig, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    names: list[str] = []
    sizes: list[tuple[int, int]] = []
    kinds: list[str] = []
    skipped = {"broken": 0, "colourless": 0, "toned": 0}
    temporary = folder / f"pixels.{os.getpid()}.tmp"
    with temporary.open("wb") as out:
        for name, data in tqdm(
            read_members(members), total=len(members), desc="decode", unit="photo", leave=False
        ):
            try:
                rgb = _shrink(read_photo(data).rgb, config.side)
            except PhotoError as error:
                skipped["broken"] += 1
                logger.warning("skipped %s: %s", name, error)
                continue
            pixels = lab.rgb_to_lab(rgb)
            if float(np.hypot(pixels[..., 1], pixels[..., 2]).mean()) < config.min_colour:
                skipped["colourless"] += 1
                continue
            if beyond_tint(pixels[..., 0], pixels[..., 1:]) < config.min_beyond_tint:
                skipped["toned"] += 1
                continue
            out.write(np.ascontiguousarray(rgb).tobytes())
            names.append(name)
            sizes.append(rgb.shape[:2])
            kinds.append(Path(name).name.rpartition("_")[0])
    seen = Counter(kinds) if config.names else Counter[str]()
    classes = {kind: i for i, kind in enumerate(sorted(k for k, n in seen.items() if k and n > 1))}
    index = {
        "names": names,
        "sizes": sizes,
        "labels": [classes.get(kind, -1) for kind in kinds],
        "num_classes": len(classes),
        "skipped": skipped,
    }
    temporary.replace(folder / "pixels.bin")
    temporary = folder / f"index.{os.getpid()}.tmp"
    temporary.write_text(json.dumps(index), encoding="utf-8")
    temporary.replace(folder / "index.json")


def _shrink(rgb: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    scale = side / min(height, width)
    size = (max(side, round(width * scale)), max(side, round(height * scale)))
    picture = Image.fromarray(rgb).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    # Very long photos are cut to three times their short side: crops come from everywhere, memory stays bounded.
    left, top = max(0, size[0] - 3 * side) // 2, max(0, size[1] - 3 * side) // 2
    return np.asarray(picture.crop((left, top, size[0] - left, size[1] - top)))


class Batches:
    """Training and validation batches of a cache."""

    def __init__(self, cache: PhotoCache, config: DataConfig, seed: int) -> None:
        self.cache = cache
        self.config = config
        self.seed = seed
        held = np.array(
            [int(_hash(n)[:8], 16) / 2**32 < config.validation_share for n in cache.names]
        )
        if not held.any():
            held[np.argmin([_hash(n) for n in cache.names])] = True
        if held.all():
            held[np.argmax([_hash(n) for n in cache.names])] = False
        self.train_indices = np.flatnonzero(~held)
        self._epoch, self._order = -1, self.train_indices
        self.validation_indices = np.flatnonzero(held)

    def __len__(self) -> int:
        return len(self.train_indices)

    def train(
        self,
        step: int,
        size: int,
        *,
        grid: tuple[int, int] | None = None,
        half: bool = False,
        part: slice = slice(None),
    ) -> Batch:
        """Returns the batch of one step: `size` random crops and flips, of which `part` is made.

        Args:
            step: number of the step; with the seed it decides everything.
            size: photos in the whole batch, over all processes.
            grid: height and width; by default one of the config's, chosen by the step.
            half: halve the grid and the photos: the same framing at a quarter of the cost.
            part: which of them this process makes.
        """
        rng = np.random.default_rng([self.seed, step])
        if grid is None:
            grid = self.config.grids[int(rng.integers(len(self.config.grids)))]
        draws = rng.random((size, 3))
        first = step * size
        order = [self._shuffled(first + k) for k in range(size)]
        crops = [self._crop(order[k], grid, draws[k], half) for k in range(size)[part]]
        return self._batch(crops, [order[k] for k in range(size)[part]])

    def validation(
        self, size: int, *, grid: tuple[int, int] | None = None, limit: int = 512
    ) -> Iterator[Batch]:
        """Yields the validation photos, cropped at their centre, `size` at a time."""
        grid = grid or self.config.grids[0]
        indices = self.validation_indices[:limit]
        middle = np.array([0.5, 0.5, 1.0])
        for start in range(0, len(indices), size):
            chosen = indices[start : start + size]
            yield self._batch(
                [self._crop(int(i), grid, middle, False) for i in chosen], chosen.tolist()
            )

    def _shuffled(self, position: int) -> int:
        epoch, place = divmod(position, len(self.train_indices))
        if self._epoch != epoch:
            self._epoch = epoch
            self._order = np.random.default_rng([self.seed, 1 << 32, epoch]).permutation(
                self.train_indices
            )
        return int(self._order[place])

    def _crop(
        self, index: int, grid: tuple[int, int], draw: npt.NDArray[np.float64], half: bool
    ) -> npt.NDArray[np.uint8]:
        photo = self.cache.photo(index)
        height, width = grid
        top = int(draw[0] * (photo.shape[0] - height + 1))
        left = int(draw[1] * (photo.shape[1] - width + 1))
        crop = photo[top : top + height, left : left + width]
        if half:
            blocks = crop.reshape(height // 2, 2, width // 2, 2, 3).astype(np.uint16)
            crop = ((blocks.sum(axis=(1, 3)) + 2) // 4).astype(np.uint8)
        return crop[:, ::-1] if draw[2] < 0.5 else crop

    def _batch(self, crops: list[npt.NDArray[np.uint8]], indices: list[int]) -> Batch:
        pixels = lab.rgb_to_lab(np.stack(crops))
        gray = lab.scale_gray(pixels[..., :1])
        ab = lab.scale_ab(pixels[..., 1:])
        return Batch(
            torch.from_numpy(np.moveaxis(gray, 3, 1).copy()),
            torch.from_numpy(np.moveaxis(ab, 3, 1).copy()),
            torch.from_numpy(self.cache.labels[indices].astype(np.int64)),
        )
