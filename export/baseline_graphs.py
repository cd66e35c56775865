"""The graphs of each baseline: modules with their weights, tensor names, inputs to trace on.

Called by `export.baselines`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from export.graphs import Graph
from huefield.baseline_info import NoiseSettings
from train.baselines import bicycle_gan, cgan, mln_gan, pic, vae_mdn
from train.config import Config

SOURCES = {
    "cgan": "Isola, Zhu, Zhou, Efros, CVPR 2017",
    "mln_gan": "Cao, Zhou, Zhang, Yu, ECML PKDD 2017",
    "bicycle_gan": "Zhu, Zhang, Pathak, Darrell, Efros, Wang, Shechtman, NeurIPS 2017",
    "vae_mdn": "Deshpande, Lu, Yeh, Chong, Forsyth, CVPR 2017",
    "pic": "Royer, Kolesnikov, Lampert, BMVC 2017",
}

_PICTURE = {0: "photos", 2: "height", 3: "width"}
_VECTOR = {0: "photos"}


@dataclass(frozen=True)
class TracedGraph:
    """One graph of a method.

    Attributes:
        module: with its weights, on the CPU.
        graph: its names.
        inputs: (batch, height, width) to what it gets, at random.
        dynamic: axes whose size may differ, by tensor.
    """

    module: nn.Module
    graph: Graph
    inputs: Callable[[int, int, int], list[Tensor]]
    dynamic: Mapping[str, Mapping[int, str]]


@dataclass(frozen=True)
class MethodGraphs:
    """All graphs of a method, and what its sampler has to know."""

    graphs: list[TracedGraph]
    noise: Mapping[str, NoiseSettings] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)


def traced_graphs(
    method: str, config: Config, checkpoints: Mapping[str, Mapping[str, Any]]
) -> MethodGraphs:
    """The graphs of a method with the weights of its checkpoints.

    Raises:
        KeyError: a checkpoint lacks a network.
        RuntimeError: weights do not fit the configuration.
    """
    weights = checkpoints[method]
    if method == "cgan":
        return _generator(cgan.Generator(config.cgan), weights)
    if method == "mln_gan":
        return _generator(mln_gan.Generator(config.mln_gan), weights)
    if method == "bicycle_gan":
        return _generator(bicycle_gan.Generator(config.bicycle_gan), weights)
    if method == "vae_mdn":
        return _vae_mdn(config, weights, checkpoints["vae_mdn_prior"])
    return _pic(config, weights)


def _loaded(module: nn.Module, weights: Mapping[str, Any], name: str) -> nn.Module:
    module.load_state_dict(weights[name])
    return module.eval().requires_grad_(False)


def _random(*shapes: tuple[int, ...]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(5)
    return [torch.rand(shape, generator=generator) for shape in shapes]


def _generator(
    module: cgan.Generator | mln_gan.Generator | bicycle_gan.Generator, weights: Mapping[str, Any]
) -> MethodGraphs:
    noise = module.noise

    def inputs(batch: int, height: int, width: int) -> list[Tensor]:
        shapes = [(batch, *settings.shape(height, width)) for settings in noise.values()]
        return _random((batch, 1, height, width), *shapes)

    def axes(name: str, settings: NoiseSettings) -> dict[int, str]:
        if not settings.stride:
            return {0: "photos"}
        return {0: "photos", 2: f"{name}_height", 3: f"{name}_width"}

    dynamic = {"gray": _PICTURE, "colours": _PICTURE}
    dynamic |= {name: axes(name, settings) for name, settings in noise.items()}
    graph = Graph("generator.onnx", ("gray", *noise), ("colours",))
    _loaded(module, weights, "generator")
    return MethodGraphs([TracedGraph(module, graph, inputs, dynamic)], noise)


def _vae_mdn(config: Config, weights: Mapping[str, Any], prior: Mapping[str, Any]) -> MethodGraphs:
    decoder = _loaded(vae_mdn.Decoder(config.vae_mdn), weights, "decoder")
    mdn = _loaded(vae_mdn.Mdn(config.vae_mdn, config.vae_mdn_prior), prior, "mdn")
    size = config.vae_mdn.code_size

    def decoder_inputs(batch: int, height: int, width: int) -> list[Tensor]:
        return _random((batch, 1, height, width), (batch, size))

    def mdn_inputs(batch: int, height: int, width: int) -> list[Tensor]:
        return _random((batch, 1, height, width))

    graphs = [
        TracedGraph(
            decoder,
            Graph("decoder.onnx", ("gray", "z"), ("colours",)),
            decoder_inputs,
            {"gray": _PICTURE, "z": _VECTOR, "colours": _PICTURE},
        ),
        TracedGraph(
            mdn,
            Graph("mdn.onnx", ("gray",), ("pi", "mu")),
            mdn_inputs,
            {"gray": _PICTURE, "pi": _VECTOR, "mu": _VECTOR},
        ),
    ]
    return MethodGraphs(graphs, numbers={"sigma": config.vae_mdn_prior.sigma})


def _pic(config: Config, weights: Mapping[str, Any]) -> MethodGraphs:
    phase = config.pic
    embedding = _loaded(pic.Embedding(phase), weights, "embedding")
    network = pic.Network(phase)
    _loaded(network, weights, "network")
    layers, width, places = phase.layers, phase.width, phase.widths[-1]

    def embedding_inputs(batch: int, height: int, across: int) -> list[Tensor]:
        return _random((batch, 1, height, across))

    def row_inputs(batch: int, height: int, across: int) -> list[Tensor]:
        num = across // pic.SCALE
        return _random((batch, 3, 2, num), (batch, layers, width, num), (batch, places, num))

    def pixel_inputs(batch: int, height: int, across: int) -> list[Tensor]:
        shapes = ((batch, 3, 2), (batch, layers + 1, width), (batch, places))
        return _random(*shapes, (batch, layers, width))

    line = {0: "samples", 3: "width"}
    place = {0: "samples"}
    graphs = [
        TracedGraph(
            embedding,
            Graph("embedding.onnx", ("gray",), ("embedding",)),
            embedding_inputs,
            {"gray": _PICTURE, "embedding": {0: "photos", 2: "rows", 3: "columns"}},
        ),
        TracedGraph(
            pic.RowStep(network),
            Graph("row.onnx", ("above", "cache", "embedding"), ("vertical",)),
            row_inputs,
            {
                "above": line,
                "cache": line,
                "embedding": {0: "samples", 2: "width"},
                "vertical": line,
            },
        ),
        TracedGraph(
            pic.PixelStep(network),
            Graph(
                "pixel.onnx",
                ("left", "vertical", "embedding", "cache"),
                ("parameters", "new_cache"),
            ),
            pixel_inputs,
            dict.fromkeys(
                ("left", "vertical", "embedding", "cache", "parameters", "new_cache"), place
            ),
        ),
    ]
    numbers = {
        "num_logistics": phase.num_logistics,
        "layers": layers,
        "width": width,
        "scale": pic.SCALE,
    }
    return MethodGraphs(graphs, numbers=numbers)
