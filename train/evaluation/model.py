"""What the suites ask of an exported model, as functions of a gray grid.

Called by `train.evaluate` and `train.reproduction`. The samples of ours here are those of
`huefield.colorizer`, with the unary beside them, and without a photo's size in between: the grid is
the photo.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huefield import lab
from huefield.baselines import Baseline
from huefield.candidates import POOL_SIZE
from huefield.gcrf import Kernel, Weights, open_solver
from huefield.model_info import HINTS_FILE
from huefield.networks import Networks
from huefield.sampling import Sampler
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
    def identity(self) -> dict[str, object]:
        """What samples depend on beside photo and seed, as JSON: figures are kept by it."""
        info = self.networks.info
        return {
            "graphs": {name: digest for name, digest in info.sha256.items() if name != HINTS_FILE},
            "beta": info.gcrf.beta,
            "sigma": info.sigma,
            "chroma_gain": info.chroma_gain,
            "settings": list(self.settings),
            "pool_size": self.pool_size,
        }

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
        grid = (lightness.shape[0], lightness.shape[1])
        sampler = Sampler(self.networks, lightness, grid, {}, self.pool_size)
        z = sampler.draws(num, seed).z
        parts = [sampler.unary(part) for part in np.array_split(z, -(-num // 16))]
        unary = np.concatenate(parts)  # (num, P, 2)
        found = {}
        if ON in self.settings:
            embedding = self.embed(sampler.gray).reshape(-1, lightness.size)  # (D, P)
            beta = self.networks.info.gcrf.beta
            found[ON] = open_solver(embedding, self.kernel, Weights(beta=beta)).smooth(unary)
        if OFF in self.settings:
            found[OFF] = unary
        return {name: fields.reshape(num, *grid, 2) for name, fields in found.items()}

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
