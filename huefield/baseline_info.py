"""What the folder of an earlier method says of itself: `model.json`, parsed strictly.

Beside what our own models say it names the method, so that one folder of models can hold both.
`baselines` reads it, `export.baselines` writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from huefield.model_info import (
    LabScaling,
    ModelError,
    parse_object,
    read_info,
    read_model_json,
)

Method = Literal["cgan", "mln_gan", "bicycle_gan", "vae_mdn", "pic"]

# The graphs of each method, and what people call it.
GRAPHS: Mapping[str, tuple[str, ...]] = {
    "cgan": ("generator.onnx",),
    "mln_gan": ("generator.onnx",),
    "bicycle_gan": ("generator.onnx",),
    "vae_mdn": ("decoder.onnx", "mdn.onnx"),
    "pic": ("embedding.onnx", "row.onnx", "pixel.onnx"),
}
TITLES: Mapping[str, str] = {
    "cgan": "c-GAN",
    "mln_gan": "MLN-GAN",
    "bicycle_gan": "BicycleGAN",
    "vae_mdn": "VAE-MDN",
    "pic": "PIC",
}


@dataclass(frozen=True)
class NoiseSettings:
    """A random input of a graph.

    Attributes:
        kind: "normal" (0, 1) or "uniform" (from 0 to 1).
        channels: numbers at each place.
        stride: cells of the grid along each side of a place; 0 for one vector a sample.
    """

    kind: Literal["normal", "uniform"]
    channels: int
    stride: int

    def shape(self, height: int, width: int) -> tuple[int, ...]:
        """Of one sample's noise on a grid: (channels, h, w), or (channels,)."""
        if not self.stride:
            return (self.channels,)
        return (self.channels, height // self.stride, width // self.stride)


@dataclass(frozen=True)
class BaselineInfo:
    """The contents of a baseline's `model.json`.

    Attributes:
        name: name of the model, and of its folder.
        method: which method it is.
        source: where the method was published.
        grid_area: about how many cells the working grid has, h * w.
        multiple: both sides of the grid are multiples of this.
        lab: scaling of the graphs' inputs and outputs.
        opset: ONNX operator set of the graphs.
        sha256: hexadecimal SHA-256 of each graph, by file name.
        noise: random inputs of the generator, by tensor name; none for "vae_mdn" and "pic".
        numbers: sizes that the sampler needs: "sigma" for "vae_mdn"; "num_logistics", "layers",
            "width" and "scale" for "pic".
        description: one sentence for people, what the model was trained on.
        training: configuration of the run.
        parity: largest differences between ONNX and torch, by graph.
        metrics: what the run measured.
    """

    name: str
    method: Method
    source: str
    grid_area: int
    multiple: int
    lab: LabScaling
    opset: int
    sha256: Mapping[str, str]
    noise: Mapping[str, NoiseSettings] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    description: str = ""
    training: Mapping[str, Any] = field(default_factory=dict)
    parity: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)

    @property
    def graph_files(self) -> tuple[str, ...]:
        """The graphs that the folder holds."""
        return GRAPHS[self.method]

    @property
    def title(self) -> str:
        """What people call the method."""
        return TITLES[self.method]


_NUMBERS = {"vae_mdn": ("sigma",), "pic": ("num_logistics", "layers", "width", "scale")}


def is_baseline(folder: Path) -> bool:
    """Whether the folder's `model.json` names a method; False where it cannot be read."""
    try:
        data = read_model_json(folder)
    except ModelError:
        return False
    return isinstance(data, Mapping) and "method" in data


def read_baseline_info(folder: Path) -> BaselineInfo:
    """The parsed `model.json` of a baseline's folder.

    Raises:
        ModelError: the file is missing, is no JSON, or has unknown, missing or ill-typed keys.
    """
    return read_info(folder, parse_baseline_info)


def parse_baseline_info(data: object) -> BaselineInfo:
    """A `BaselineInfo` of parsed JSON.

    Raises:
        ModelError: naming the key that is unknown, missing or of the wrong type.
    """
    info = parse_object(BaselineInfo, data)
    missing = [name for name in info.graph_files if name not in info.sha256]
    if missing:
        raise ModelError(f"key 'sha256': no entry for {', '.join(missing)}")
    for name in _NUMBERS.get(info.method, ()):
        if info.numbers.get(name, 0.0) <= 0:
            raise ModelError(f"key 'numbers.{name}': expected a number above 0")
    if info.method not in _NUMBERS and not info.noise:
        raise ModelError("key 'noise': a generator needs a random input")
    for key in ("grid_area", "multiple"):
        if getattr(info, key) < 1:
            raise ModelError(f"key '{key}': expected at least 1, got {getattr(info, key)}")
    return info
