"""What the suites ask of an exported model, as functions of a gray grid.

Called by `train.evaluate` and `train.reproduction`. The samples of ours here are those of
`huefield.colorizer`, with the unary beside them, and without a photo's size in between: the grid is
the photo.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huefield import lab, upsample
from huefield.baselines import Baseline
from huefield.candidates import POOL_SIZE, Candidates, small_grid
from huefield.gcrf import Kernel, Weights, open_solver
from huefield.mixture import Mixture
from huefield.networks import Networks
from train.evaluation.spreading import HintedFn

Floats = NDArray[np.float32]

ON = "gcrf on"
OFF = "gcrf off"
NUM_CANDIDATES = 64


@dataclass(frozen=True)
class ModelFunctions:
    """A model's samples, embedding and candidate fields.

    Attributes:
        networks: the model.
        settings: which of `ON` and `OFF` the samples come in.
        pool_size: draws from which samples are picked, see `huefield.candidates`.
    """

    networks: Networks
    settings: tuple[str, ...] = (ON, OFF)
    pool_size: int = POOL_SIZE

    @property
    def kernel(self) -> Kernel:
        """How S is made of the embedding."""
        kernel = self.networks.info.kernel
        return Kernel(kernel.kind, kernel.diagonal)

    def embed(self, gray: Floats) -> Floats:
        """The embedding (D, h, w) of a scaled gray grid (h, w)."""
        return self.networks.embed(gray)

    def sample(self, lightness: Floats, num: int, seed: int) -> dict[str, Floats]:
        """Samples (num, h, w, 2) ab of each setting, the same z in all of them, from L (h, w)."""
        gray = lab.scale_gray(lightness)
        info = self.networks.info
        pi, mu = self.networks.mixture(gray)
        grid = small_grid((lightness.shape[0], lightness.shape[1]), info.multiple)
        small = lab.scale_gray(upsample.grid_lightness(lightness, grid))
        mixture = Mixture(pi, mu, info.sigma)
        pools = Candidates(
            mixture,
            lambda z: self._decode(small, z).reshape(len(z), -1, 2),
            grid,
            self.pool_size,
        )
        unary = self._decode(gray, pools.first(num, seed).z)
        found = {}
        if ON in self.settings:
            embedding = self.embed(gray).reshape(-1, gray.size)  # (D, P)
            solver = open_solver(embedding, self.kernel, Weights(beta=info.gcrf.beta))
            smooth = solver.smooth(unary.reshape(num, -1, 2))
            found[ON] = smooth.reshape(unary.shape)
        if OFF in self.settings:
            found[OFF] = unary
        return found

    def _decode(self, gray: Floats, z: Floats) -> Floats:
        """The unary (n, h, w, 2) ab of codes (n, Z) on the grid of gray (h, w)."""
        parts = [self.networks.decode(gray, part) for part in np.array_split(z, -(-len(z) // 16))]
        unary = np.concatenate(parts).transpose(0, 2, 3, 1)
        return np.asarray(unary * np.float32(lab.AB_SCALE * self.networks.info.chroma_gain))

    def candidates(self, gray: Floats) -> Floats:
        """64 samples (64, h, w, 2) ab, of which the points may choose, of a scaled gray grid."""
        lightness = gray * np.float32(lab.L_SCALE) + np.float32(lab.L_CENTER)
        samples = self.sample(lightness, NUM_CANDIDATES, 0)
        return samples[ON] if ON in samples else samples[OFF]

    @property
    def hinted(self) -> HintedFn | None:
        """The hints network as a function of a gray grid and hints; None where there is none."""
        return self.networks.hinted if self.networks.has_hints else None


@dataclass(frozen=True)
class BaselineFunctions:
    """An earlier method's samples.

    Attributes:
        baseline: the method.
    """

    baseline: Baseline

    def sample(self, lightness: Floats, num: int, seed: int) -> dict[str, Floats]:
        """Samples (num, h, w, 2) ab of L (h, w), under the method's title."""
        return {self.baseline.info.title: self.baseline.samples_on_grid(lightness, num, seed)}
