"""Earlier methods ready to run: samples of a photo from ONNX graphs, one interface for all.

No torch is needed. The evaluation, `study create` and the web app can run any method of a folder
of models beside ours. Sample k depends on the photo, the seed and k alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from huefield import lab, pic, upsample
from huefield.baseline_info import BaselineInfo, NoiseSettings, is_baseline, read_baseline_info
from huefield.mixture import Mixture
from huefield.model_info import MODEL_FILE, LabScaling, ModelError
from huefield.networks import CPU_PROVIDER, open_session, verified_graphs
from huefield.photo import Photo

if TYPE_CHECKING:
    import onnxruntime

    Sessions = Mapping[str, onnxruntime.InferenceSession]

Floats = NDArray[np.float32]
_AT_ONCE = 16  # samples that run together: memory stays small


class Baseline:
    """One method with its trained weights, on the CPU.

    Attributes:
        info: what `model.json` says.
        provider: the ONNX Runtime provider that it runs on.
    """

    provider = CPU_PROVIDER

    def __init__(self, info: BaselineInfo, sessions: Sessions) -> None:
        self.info = info
        self._sessions = sessions

    def samples(self, photo: Photo, n: int, seed: int) -> Floats:
        """Colour fields (n, h, w, 2) float32, ab, on the working grid of a photo."""
        info = self.info
        grid = upsample.grid_shape(
            photo.height, photo.width, area=info.grid_area, multiple=info.multiple
        )
        return self.samples_on_grid(upsample.grid_lightness(photo.lightness, grid), n, seed)

    def samples_on_grid(self, lightness: Floats, n: int, seed: int) -> Floats:
        """Colour fields (n, h, w, 2) float32, ab, of L (h, w) whose grid is the photo.

        Raises:
            ModelError: sides that the method cannot take, or fewer than one sample.
        """
        height, width = lightness.shape
        if height % self.info.multiple or width % self.info.multiple:
            raise ModelError(
                f"expected a grid with sides that are multiples of {self.info.multiple}, "
                f"got {height} x {width}"
            )
        if n < 1:
            raise ModelError(f"expected at least one sample, got {n}")
        gray = lab.scale_gray(np.asarray(lightness, np.float32))[None, None]  # (1, 1, h, w)
        parts = [range(first, min(n, first + _AT_ONCE)) for first in range(0, n, _AT_ONCE)]
        if self.info.method == "vae_mdn":
            field = self._decoded(gray, n, seed)
        elif self.info.method == "pic":
            (embedding,) = self._sessions["embedding.onnx"].run(["embedding"], {"gray": gray})
            field = np.concatenate([self._drawn(embedding[0], part, seed) for part in parts])
            colours = [upsample.bilinear(f.transpose(1, 2, 0), (height, width)) for f in field]
            return np.stack(colours) * np.float32(lab.AB_SCALE)
        else:
            field = np.concatenate([self._generated(gray, part, seed) for part in parts])
        return np.ascontiguousarray(field.transpose(0, 2, 3, 1)) * np.float32(lab.AB_SCALE)

    def _generated(self, gray: Floats, numbers: range, seed: int) -> Floats:
        """A generator's fields (n, 2, h, w), ab / 128, of the samples `numbers`."""
        height, width = gray.shape[2:]
        feeds = {"gray": np.repeat(gray, len(numbers), axis=0)}
        drawn = [sample_noise(self.info.noise, height, width, seed, k) for k in numbers]
        for name in self.info.noise:
            feeds[name] = np.stack([noise[name] for noise in drawn])
        (colours,) = self._sessions["generator.onnx"].run(["colours"], feeds)
        return np.asarray(colours)

    def _decoded(self, gray: Floats, n: int, seed: int) -> Floats:
        """Fields (n, 2, h, w), ab / 128, of codes from the mixture."""
        pi, mu = self._sessions["mdn.onnx"].run(["pi", "mu"], {"gray": gray})
        z = Mixture(pi[0], mu[0], self.info.numbers["sigma"]).sample(n, seed).z
        fields = []
        for codes in np.array_split(z, -(-n // _AT_ONCE)):
            feeds = {"gray": np.repeat(gray, len(codes), axis=0), "z": codes}
            fields.append(self._sessions["decoder.onnx"].run(["colours"], feeds)[0])
        return np.concatenate(fields)

    def _drawn(self, embedding: Floats, numbers: range, seed: int) -> Floats:
        """PIC's fields (n, 2, h / scale, w / scale), ab / 128, pixel by pixel."""
        row, pixel = self._sessions["row.onnx"], self._sessions["pixel.onnx"]

        def run_row(above: Floats, cache: Floats, line: Floats) -> Floats:
            feeds = {"above": above, "cache": cache, "embedding": line}
            return np.asarray(row.run(["vertical"], feeds)[0])

        def run_pixel(
            left: Floats, vertical: Floats, place: Floats, cache: Floats
        ) -> tuple[Floats, Floats]:
            feeds = {"left": left, "vertical": vertical, "embedding": place, "cache": cache}
            parameters, kept = pixel.run(["parameters", "new_cache"], feeds)
            return parameters, kept

        sizes = self.info.numbers
        steps = pic.StepFunctions(run_row, run_pixel, int(sizes["layers"]), int(sizes["width"]))
        shape = (*embedding.shape[1:], 3)
        uniform = np.stack([np.random.default_rng([seed, k]).random(shape) for k in numbers])
        uniform = np.clip(uniform, 1e-12, 1.0 - 1e-12)  # their logarithms are finite
        return pic.draw_colours(steps, embedding, uniform)[0]


def sample_noise(
    settings: Mapping[str, NoiseSettings], height: int, width: int, seed: int, number: int
) -> dict[str, Floats]:
    """The random inputs of sample `number`, by tensor name, without a batch axis."""
    rng = np.random.default_rng([seed, number])
    return {
        name: np.asarray(
            rng.standard_normal(noise.shape(height, width), np.float32)
            if noise.kind == "normal"
            else rng.random(noise.shape(height, width), np.float32)
        )
        for name, noise in settings.items()
    }


def baseline_folders(root: Path) -> list[Path]:
    """The folders below `root` whose `model.json` names an earlier method, by name."""
    folders = sorted(path.parent for path in root.glob(f"*/{MODEL_FILE}"))
    return [folder for folder in folders if is_baseline(folder)]


def load_baseline(folder: Path | str, *, threads: int | None = None) -> Baseline:
    """The method of a baseline's folder, on the CPU.

    Args:
        folder: folder with `model.json` and the graphs of its method.
        threads: threads inside one operator; by default one a processor, at most 8.

    Raises:
        ModelError: the folder is incomplete, altered, or made for another Lab scaling.
    """
    folder = Path(folder)
    info = read_baseline_info(folder)
    ours = LabScaling(lab.L_CENTER, lab.L_SCALE, lab.AB_SCALE)
    if info.lab != ours:
        raise ModelError(f"{folder / MODEL_FILE}: key 'lab': expected {ours}, got {info.lab}")
    graphs = verified_graphs(folder, info.graph_files, info.sha256)
    sessions = {
        name: open_session(folder / name, graph, cuda=False, threads=threads)
        for name, graph in graphs
    }
    return Baseline(info, sessions)
