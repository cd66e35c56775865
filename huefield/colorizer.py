"""Colourings of a photo: the slow part once, then samples, strokes and pictures quickly.

`Colorizer.open` looks at a photo; the `OpenPhoto` that it returns gives samples on the working
grid, follows edits, renders at any size and tells what the model knows about a place. Called by
`cli` and the web app.

Source: Messaoud, Forsyth, Schwing, ECCV 2018, section 3: z from the MDN, unary from the decoder,
S from the HOC network, colours from the G-CRF.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from huefield import upsample
from huefield.candidates import POOL_SIZE
from huefield.following import Follower
from huefield.gcrf import Kernel, Weights, open_solver
from huefield.gcrf.opening import Backend
from huefield.mixture import Draws
from huefield.networks import Networks
from huefield.palette import PaletteColor, group_colors
from huefield.photo import Photo
from huefield.picks import Pick, chunk_of
from huefield.rendering import Renderer
from huefield.sample import Sample
from huefield.sampling import Sampler, fits_of, timed
from huefield.strokes import Edits, StrokeLabels, rasterize
from huefield.tone import Tone

__all__ = ["Backend", "Colorizer", "OpenPhoto", "Pick", "Sample"]

Floats = NDArray[np.float32]

NUM_SUGGESTIONS = 24  # latent codes that a palette looks at


class Colorizer:
    """Opens photos for one model.

    Attributes:
        networks: the model.
        backend: which solver photos get, see `huefield.gcrf.open_solver`.
        anticipate: whether an open photo prepares for strokes in the background, once its first
            samples are out; a script that never paints saves the work.
        pool_size: draws from which samples are picked, see `huefield.candidates`; 0 shows draws as
            they come, as the paper does.
    """

    def __init__(
        self,
        networks: Networks,
        backend: Backend = "auto",
        *,
        anticipate: bool = True,
        pool_size: int = POOL_SIZE,
    ) -> None:
        self.networks = networks
        self.backend = backend
        self.anticipate = anticipate
        self.pool_size = pool_size
        info = networks.info
        self._kernel = Kernel(info.kernel.kind, info.kernel.diagonal)
        self._weights = Weights(
            beta=info.gcrf.beta,
            beta_prior=info.gcrf.beta_prior,
            beta_edit=info.gcrf.beta_edit,
            gamma=info.gcrf.gamma,
            ridge=info.gcrf.ridge,
        )

    def open(self, photo: Photo) -> OpenPhoto:
        """The photo with everything computed that does not depend on a sample."""
        return OpenPhoto(self, photo, self._kernel, self._weights)


class OpenPhoto:
    """One photo under one model; safe to use from several threads.

    Attributes:
        photo: the photo.
        grid: (h, w) of the working grid.
        timings: seconds of each step, as last run.
    """

    def __init__(
        self, colorizer: Colorizer, photo: Photo, kernel: Kernel, weights: Weights
    ) -> None:
        networks = colorizer.networks
        self.photo = photo
        self.timings: dict[str, float] = {}
        self._anticipate = colorizer.anticipate
        info = networks.info
        self.grid: tuple[int, int] = upsample.grid_shape(
            photo.height, photo.width, area=info.grid_area, multiple=info.multiple
        )
        self._sampler = Sampler(
            networks, photo.lightness, self.grid, self.timings, colorizer.pool_size
        )
        with timed(self.timings, "embed"):
            embedding = networks.embed(self._sampler.gray)  # (D, h, w)
        with timed(self.timings, "similarity"):
            flat = embedding.reshape(len(embedding), -1)  # (D, P)
            self._solver = open_solver(flat, kernel, weights, colorizer.backend)
        self._lock = threading.Lock()
        self._renderer = Renderer(photo.lightness)
        self._labels = StrokeLabels(self.grid)
        self._follower = Follower(networks, self._sampler.gray, flat, self._solver, self._labels)
        self._suggestions: Floats | None = None
        self._preparing: threading.Thread | None = None

    @property
    def solver_name(self) -> str:
        """The solver backend in use."""
        return self._solver.name

    @property
    def nbytes(self) -> int:
        """Bytes held: pixels, solver, kept samples and previews."""
        held = self.photo.lightness.nbytes + self.photo.rgb.nbytes + self._solver.nbytes
        held += self._sampler.nbytes + self._follower.nbytes
        if self._suggestions is not None:
            held += self._suggestions.nbytes
        return held + self._renderer.nbytes + self._labels.nbytes

    def samples(
        self, n: int, seed: int = 0, edits: Edits | None = None, *, condition: bool = False
    ) -> list[Sample]:
        """n colourings, the same for the same arguments, bit for bit on one machine.

        Args:
            n: how many, at least 1.
            seed: of the latent codes; without edits the first sample is the likeliest.
            edits: strokes and ties that every sample follows.
            condition: choose latent codes that agree with the edits, rather than keep the codes of
                the samples without edits and only correct their colours.
        """
        if n < 1:
            raise ValueError(f"expected at least 1 sample, got {n}")
        if not condition or edits is None or not len(rasterize(edits, self.grid)):
            return list(self.stream([Pick(seed, k) for k in range(n)], edits))
        draws, fields = self._sampler.conditioned(self._solver, n, seed, edits)
        made = self._edited(draws, fields, 0, edits, [None] * n)
        if self._anticipate:
            self.prepare()
        return [replace(sample, seed=seed) for sample in made]

    def stream(self, picks: Sequence[Pick], edits: Edits | None = None) -> Iterator[Sample]:
        """One sample for each pick, in their order, each as soon as it is ready.

        A pick alone decides the sample before its edits, bit for bit: codes are decoded and
        smoothed in chunks that do not depend on what else is asked for.
        """
        edited = edits is not None and len(edits) > 0
        waiting: list[tuple[Draws, Floats]] = []
        first = 0
        while first < len(picks):
            start, stop = chunk_of(picks[first])
            last = first
            while last < len(picks) and chunk_of(picks[last]) == (start, stop):
                last += 1
            draws, fields = self._sampler.chunk(self._solver, start, stop)
            places = [pick.index - start.index for pick in picks[first:last]]
            chosen = Draws(draws.z[places], draws.component[places], draws.log_prob[places])
            if edited:
                waiting.append((chosen, fields[places]))
            else:
                yield from self._edited(chosen, fields[places], first, edits, picks[first:last])
            first = last
        if edited:
            # Edits cost the same for one sample as for all, so all follow them together.
            draws = Draws(
                np.concatenate([part.z for part, _ in waiting]),
                np.concatenate([part.component for part, _ in waiting]),
                np.concatenate([part.log_prob for part, _ in waiting]),
            )
            fields = np.concatenate([part for _, part in waiting])
            yield from self._edited(draws, fields, 0, edits, picks)
        if self._anticipate:
            self.prepare()

    def unary(self, sample: Sample) -> Floats:
        """What the decoder said for a sample before the G-CRF: (h, w, 2) float32, ab."""
        unary: Floats = self._sampler.unary(sample.z[None])[0].reshape(*self.grid, 2)
        return unary

    def prepare(self) -> None:
        """Starts preparing for strokes in the background; does nothing the second time."""
        with self._lock:
            if self._preparing is None:
                self._preparing = threading.Thread(target=self._factor, daemon=True)
                self._preparing.start()

    def wait(self) -> None:
        """Returns once a preparation that was started is done."""
        if self._preparing is not None:
            self._preparing.join()

    def render(
        self, sample: Sample, long_side: int | None = None, tone: Tone | None = None
    ) -> NDArray[np.uint8]:
        """A colouring as sRGB (H, W, 3) uint8, the photo's own lightness kept.

        Args:
            sample: from `samples` of this photo.
            long_side: pixels of the longer side of a preview; None, or more than the photo has,
                for the photo's own size.
            tone: sliders to apply, if any.
        """
        with timed(self.timings, "render"):
            return self._renderer.render(sample.field, sample.edits, long_side, tone)

    def influence(self, x: float, y: float) -> tuple[Floats, Floats]:
        """What a place listens to, and what a stroke there would change: two (h, w) float32.

        The first is its row of S, the second its column of the edits' inverse precision.

        Args:
            x: pixels of the photo, to the right.
            y: pixels of the photo, down.
        """
        row, column = self._solver.influence(self.cell(x, y))
        return row.reshape(self.grid), column.reshape(self.grid)

    def uncertainty(self, edits: Edits | None = None) -> Floats:
        """How unsure each cell's colour is: posterior deviation (h, w) float32, less near edits."""
        constraints = None if edits is None else rasterize(edits, self.grid, labels=self._labels)
        return self._solver.deviation(constraints).reshape(self.grid)

    def helps(self, fields: Floats | None = None) -> Floats:
        """How much a stroke at each cell helps: (h, w) float32, in no unit, above 0.

        Where samples differ a stroke decides; how far it reaches is what counts besides. Since
        Q0 1 = beta_prior 1, a stroke at p changes 1 / (beta_prior Q0^-1_pp) cells in sum.

        Args:
            fields: (n, h, w, 2) float32, samples that follow the present edits; None, or a single
                one, for what the decoder says of the photo.
        """
        if fields is None or len(fields) < 2:
            fields = self._suggested().reshape(-1, *self.grid, 2)
        spread = np.sqrt(fields.var(axis=0).sum(axis=-1)) + np.float32(1e-3)  # (h, w)
        reach = 1 / np.square(self._solver.deviation()).reshape(self.grid)
        return np.asarray(spread * reach, np.float32)

    def palette(self, x: float, y: float, size: int = 6) -> list[PaletteColor]:
        """Colours that samples have at a place, the most likely first.

        Args:
            x: pixels of the photo, to the right.
            y: pixels of the photo, down.
            size: most colours given.
        """
        cell = self.cell(x, y)
        column = min(self.photo.width - 1, int(x))
        row = min(self.photo.height - 1, int(y))
        lightness = float(self.photo.lightness[row, column])
        return group_colors(self._suggested()[:, cell], lightness, size)

    def cell(self, x: float, y: float) -> int:
        """Index of the grid cell that a place of the photo lies in.

        Raises:
            ValueError: the place lies outside the photo.
        """
        height, width = self.photo.height, self.photo.width
        if not (0 <= x <= width and 0 <= y <= height):
            raise ValueError(f"place ({x:g}, {y:g}) lies outside the photo of {width} x {height}")
        h, w = self.grid
        row = min(h - 1, int(y * h / height))
        return row * w + min(w - 1, int(x * w / width))

    def _suggested(self) -> Floats:
        """The unary of some likely latent codes: (n, P, 2) float32, ab; made once."""
        if self._suggestions is None:
            with timed(self.timings, "palette"):
                draws = self._sampler.mixture.sample(NUM_SUGGESTIONS, 0)
                self._suggestions = self._sampler.unary(draws.z)
        return self._suggestions

    def _edited(
        self,
        draws: Draws,
        fields: Floats,
        first: int,
        edits: Edits | None,
        picks: Sequence[Pick | None],
    ) -> list[Sample]:
        """Samples of codes and their fields (n, P, 2), numbered from `first`, edits followed."""
        fits = np.ones(len(fields))
        if edits is not None and len(edits):
            with timed(self.timings, "edits"):
                fits = fits_of(fields, rasterize(edits, self.grid, labels=self._labels))
                fields = self._follower.follow(fields, edits)
        return [
            Sample(
                index=first + k,
                seed=0 if pick is None else pick.seed,
                component=int(draws.component[k]),
                log_prob=float(draws.log_prob[k]),
                fit=float(fits[k]),
                z=draws.z[k],
                field=fields[k].reshape(*self.grid, 2),
                edits=edits,
                pick=pick,
            )
            for k, pick in enumerate(picks)
        ]

    def _factor(self) -> None:
        with timed(self.timings, "factor"):
            self._solver.factor()
