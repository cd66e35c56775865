"""Colourings of a photo: the slow part once, then samples, strokes and pictures quickly.

`Colorizer.open` looks at a photo; the `OpenPhoto` that it returns gives samples on the working
grid, follows edits, renders at any size and tells what the model knows about a place. Called by
`cli` and the web app.

Source: Messaoud, Forsyth, Schwing, ECCV 2018, section 3: z from the MDN, unary from the decoder,
S from the HOC network, colours from the G-CRF.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from huefield import lab, upsample
from huefield.following import follow
from huefield.gcrf import Kernel, Weights, open_solver
from huefield.gcrf.opening import Backend
from huefield.hints import expected_change, expected_colours
from huefield.mixture import Draws, Mixture, choose_for_edits
from huefield.networks import Networks
from huefield.palette import PaletteColor, group_colors
from huefield.photo import Photo
from huefield.picks import Near, Pick, chunk_of
from huefield.rendering import Renderer
from huefield.strokes import Constraints, Edits, StrokeLabels, rasterize
from huefield.tone import Tone

__all__ = ["Backend", "Colorizer", "OpenPhoto", "Pick", "Sample"]

Floats = NDArray[np.float32]

NUM_CANDIDATES = 48  # latent codes drawn where samples are conditioned on edits
NUM_SUGGESTIONS = 24  # latent codes that a palette looks at
FIT_DISTANCE = 15.0  # ab: a colouring this far from what was painted has a fit of 0.61
_KEPT_SETS = 12  # chunks of samples whose fields before edits are kept


@dataclass(frozen=True)
class Sample:
    """One colouring on the working grid.

    Attributes:
        index: its place in the set.
        seed: seed of the set.
        component: the component of the mixture that z came from.
        log_prob: log-density of z under the mixture.
        fit: how well the colouring agreed with the edits before it followed them, 0 (not at all)
            to 1; 1 where there are none.
        z: (latent_size,) float32.
        field: (h, w, 2) float32, ab.
        edits: the strokes and ties that it follows.
        pick: the latent code that it was asked for by; None where codes were chosen for the edits.
    """

    index: int
    seed: int
    component: int
    log_prob: float
    fit: float
    z: Floats
    field: Floats
    edits: Edits | None = None
    pick: Pick | None = None


class Colorizer:
    """Opens photos for one model.

    Attributes:
        networks: the model.
        backend: which solver photos get, see `huefield.gcrf.open_solver`.
        anticipate: whether an open photo prepares for strokes in the background, once its first
            samples are out; a script that never paints saves the work.
    """

    def __init__(
        self, networks: Networks, backend: Backend = "auto", *, anticipate: bool = True
    ) -> None:
        self.networks = networks
        self.backend = backend
        self.anticipate = anticipate
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
        self._networks = networks
        self._anticipate = colorizer.anticipate
        self._gain = lab.AB_SCALE * networks.info.chroma_gain
        info = networks.info
        self.grid: tuple[int, int] = upsample.grid_shape(
            photo.height, photo.width, area=info.grid_area, multiple=info.multiple
        )
        with self._timed("grid"):
            self._gray = self._grid_gray(self.grid)
        with self._timed("embed"):
            embedding = networks.embed(self._gray)  # (D, h, w)
        with self._timed("mixture"):
            pi, mu = networks.mixture(self._gray)
            self._mixture = Mixture(pi, mu, info.sigma)
        with self._timed("similarity"):
            flat = embedding.reshape(len(embedding), -1)  # (D, P)
            self._solver = open_solver(flat, kernel, weights, colorizer.backend)
        self._lock = threading.Lock()
        self._sets: OrderedDict[tuple[object, ...], tuple[Draws, Floats]] = OrderedDict()
        self._renderer = Renderer(photo.lightness)
        self._labels = StrokeLabels(self.grid)
        self._suggestions: Floats | None = None
        self._unhinted: Floats | None = None
        self._preparing: threading.Thread | None = None

    @property
    def solver_name(self) -> str:
        """The solver backend in use."""
        return self._solver.name

    @property
    def nbytes(self) -> int:
        """Bytes held: pixels, solver, kept samples and previews."""
        held = self.photo.lightness.nbytes + self.photo.rgb.nbytes + self._solver.nbytes
        with self._lock:
            held += sum(draws.z.nbytes + fields.nbytes for draws, fields in self._sets.values())
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
        draws, fields = self._conditioned(n, seed, edits)
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
            chunk = chunk_of(picks[first])
            last = first
            while last < len(picks) and chunk_of(picks[last]) == chunk:
                last += 1
            draws, fields = self._chunk(*chunk)
            places = [pick.index - chunk[2] for pick in picks[first:last]]
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
        unary: Floats = self._unary(self._gray, sample.z[None])[0].reshape(*self.grid, 2)
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
        with self._timed("render"):
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

    def palette(self, x: float, y: float, size: int = 6) -> list[PaletteColor]:
        """Colours that samples have at a place, the most likely first.

        Args:
            x: pixels of the photo, to the right.
            y: pixels of the photo, down.
            size: most colours given.
        """
        cell = self.cell(x, y)
        if self._suggestions is None:
            with self._timed("palette"):
                draws = self._mixture.sample(NUM_SUGGESTIONS, 0)
                self._suggestions = self._unary(self._gray, draws.z)  # (n, P, 2)
        column = min(self.photo.width - 1, int(x))
        row = min(self.photo.height - 1, int(y))
        lightness = float(self.photo.lightness[row, column])
        return group_colors(self._suggestions[:, cell], lightness, size)

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

    def _correct(self, fields: Floats, constraints: Constraints) -> Floats:
        """Fields (n, P, 2) corrected, from what the hints network expects where there is one."""
        if not self._networks.has_hints or len(constraints) == constraints.num_ties:
            return self._solver.correct(fields, constraints)
        if self._unhinted is None:
            nothing = Constraints.empty(self._gray.size)
            self._unhinted = expected_colours(
                self._networks, self._gray, nothing, np.zeros((1, 0, 2), np.float32)
            )[0]
        change = expected_change(self._networks, self._gray, fields, constraints, self._unhinted)
        return self._solver.correct(fields + change, constraints)

    def _chunk(self, seed: int, near: Near, start: int, stop: int) -> tuple[Draws, Floats]:
        """Codes and fields (n, P, 2) before edits of the picks `start .. stop` of a set."""
        key = (seed, near, start)
        with self._lock:
            if key in self._sets:
                self._sets.move_to_end(key)
                return self._sets[key]
        draws = self._draws(seed, near, stop)
        draws = Draws(draws.z[start:], draws.component[start:], draws.log_prob[start:])
        fields = self._fields(draws)
        with self._lock:
            self._sets[key] = (draws, fields)
            while len(self._sets) > _KEPT_SETS:
                self._sets.popitem(last=False)
        return draws, fields

    def _draws(self, seed: int, near: Near, n: int) -> Draws:
        """The first n latent codes of a set."""
        if not near:
            return self._mixture.sample(n, seed)
        base_seed, base_index = near[-1]
        base = self._draws(base_seed, near[:-1], base_index + 1)
        return self._mixture.around(base.z[base_index], n, seed)

    def _fields(self, draws: Draws) -> Floats:
        """Fields (n, P, 2) of latent codes, made consistent."""
        with self._timed("decode"):
            unary = self._unary(self._gray, draws.z)
        with self._timed("smooth"):
            return self._solver.smooth(unary)

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
            with self._timed("edits"):
                plain = rasterize(edits, self.grid, labels=self._labels)
                if len(plain):
                    fits = _fits(fields, plain)
                if any(stroke.keep for stroke in edits.strokes):
                    fields = follow(fields, edits, self._labels, self._correct)
                elif len(plain):
                    fields = self._correct(fields, plain)
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

    def _conditioned(self, n: int, seed: int, edits: Edits) -> tuple[Draws, Floats]:
        """n latent codes whose unary agrees with the edits and that differ, and their fields.

        Candidates are decoded on a grid of half the sides, which costs a quarter.
        """
        key = (n, seed, edits)
        with self._lock:
            if key in self._sets:
                self._sets.move_to_end(key)
                return self._sets[key]
        with self._timed("condition"):
            multiple = self._networks.info.multiple
            height, width = (max(multiple, side // 2 // multiple * multiple) for side in self.grid)
            draws = self._mixture.sample(max(NUM_CANDIDATES, n), seed)
            unary = self._unary(self._grid_gray((height, width)), draws.z)
            fits = _fits(unary, rasterize(edits, (height, width)))
            cells = unary.reshape(len(unary), 4, height // 4, 4, width // 4, 2)
            signature = cells.mean((2, 4)).reshape(len(unary), -1)  # (N, 4 * 4 * 2)
            chosen = choose_for_edits(draws, fits, signature, n)
        draws = Draws(draws.z[chosen], draws.component[chosen], draws.log_prob[chosen])
        fields = self._fields(draws)
        with self._lock:
            self._sets[key] = (draws, fields)
        return draws, fields

    def _unary(self, gray: Floats, z: Floats) -> Floats:
        """The unary of each code as ab, (n, P, 2), on the grid of `gray` (h, w)."""
        unary = self._networks.decode(gray, z)  # (n, 2, h, w)
        pixels = unary.reshape(len(z), 2, -1).transpose(0, 2, 1)
        return np.ascontiguousarray(pixels * np.float32(self._gain))

    def _grid_gray(self, grid: tuple[int, int]) -> Floats:
        """The networks' input (h, w) on a grid."""
        return lab.scale_gray(upsample.grid_lightness(self.photo.lightness, grid))

    def _factor(self) -> None:
        with self._timed("factor"):
            self._solver.factor()

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.timings[step] = time.perf_counter() - start


def _fits(fields: Floats, constraints: Constraints) -> NDArray[np.float64]:
    """How well fields (n, P, 2) agree with constraints: exp(-d^2 / 2 T^2), (n,) in 0..1.

    d is the root mean square distance from what is wanted, T is `FIT_DISTANCE`.
    """
    weights = constraints.weights / max(float(constraints.weights.sum()), 1e-12)
    misses = [constraints.rows @ field - constraints.targets for field in fields]
    squares = np.array([float(weights @ np.square(miss).sum(1)) for miss in misses])
    return np.asarray(np.exp(-0.5 * squares / FIT_DISTANCE**2))
