"""Training and validation batches of a photo cache. Called by the stages.

A batch is a function of (seed, step) alone, so that a run can be resumed anywhere and many
processes see the slices of one and the same batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from huefield import lab
from train.config import DataConfig
from train.data import PhotoCache, is_held, name_hash
from train.plates import NUM_DRAWS, expose


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

    def split(self) -> list[Batch]:
        """Returns batches of one photo each."""
        each = [slice(k, k + 1) for k in range(len(self.gray))]
        return [Batch(self.gray[k], self.ab[k], self.label[k]) for k in each]


class Batches:
    """Training and validation batches of a cache."""

    def __init__(self, cache: PhotoCache, config: DataConfig, seed: int) -> None:
        self.cache = cache
        self.config = config
        self.seed = seed
        held = np.array([is_held(n, config.validation_share) for n in cache.names])
        if not held.any():
            held[np.argmin([name_hash(n) for n in cache.names])] = True
        if held.all():
            held[np.argmax([name_hash(n) for n in cache.names])] = False
        self.train_indices = np.flatnonzero(~held)
        self._epoch, self._order = -1, self.train_indices
        # In an order of their own: a limit then takes photos of all kinds.
        self.validation_indices = np.random.default_rng(seed).permutation(np.flatnonzero(held))

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
        plates = rng.random((size, 1 + NUM_DRAWS))[part] if self.config.plates_share else None
        return self._batch(crops, [order[k] for k in range(size)[part]], plates)

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

    def _batch(
        self,
        crops: list[npt.NDArray[np.uint8]],
        indices: list[int],
        plates: npt.NDArray[np.float64] | None = None,
    ) -> Batch:
        """A batch; `plates` (N, 1 + NUM_DRAWS) says which are plates, and what kind of."""
        rgb = np.stack(crops)
        pixels = lab.rgb_to_lab(rgb)
        if plates is not None:
            old = plates[:, 0] < self.config.plates_share
            pixels[old, ..., 0] = expose(rgb[old], plates[old, 1:])
        gray = lab.scale_gray(pixels[..., :1])
        ab = lab.scale_ab(pixels[..., 1:])
        return Batch(
            torch.from_numpy(np.moveaxis(gray, 3, 1).copy()),
            torch.from_numpy(np.moveaxis(ab, 3, 1).copy()),
            torch.from_numpy(self.cache.labels[indices].astype(np.int64)),
        )
