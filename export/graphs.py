"""Torch modules to ONNX files with dynamic batch, height and width.

Called by `export.model_folder`. The tensor names are the contract that `huefield.networks` reads.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.jit._trace import TracerWarning

OPSET = 18


@dataclass(frozen=True)
class Graph:
    """One exported graph: its file and the names of its tensors, in order."""

    file: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


DECODER = Graph("decoder.onnx", ("gray", "z"), ("unary",))
HOC = Graph("hoc.onnx", ("gray",), ("embedding",))
MDN = Graph("mdn.onnx", ("gray",), ("pi", "mu"))
HINTS = Graph("hints.onnx", ("gray", "hints"), ("colours",))

_DYNAMIC = {
    "gray": {0: "photos", 2: "height", 3: "width"},
    "z": {0: "samples"},
    "unary": {0: "samples", 2: "height", 3: "width"},
    "embedding": {0: "photos", 2: "height", 3: "width"},
    "pi": {0: "photos"},
    "mu": {0: "photos"},
    "hints": {0: "samples", 2: "height", 3: "width"},
    "colours": {0: "samples", 2: "height", 3: "width"},
}


def checksum(path: Path) -> str:
    """SHA-256 of a file, as `model.json` has it of each graph."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def export_graph(module: nn.Module, graph: Graph, folder: Path, latent_size: int) -> Path:
    """Path of the ONNX file written for a traceable module.

    The tracing exporter is asked for: torch's newer one gives the same numbers here, but takes ten
    times as long, bakes in relations between the dimensions, and cannot express the index of
    `TraceableDecoder`. Parity on several grids and batch sizes guards what tracing could freeze.

    Args:
        module: from `export.traceable`, on the CPU.
        graph: its names.
        folder: where the file goes.
        latent_size: numbers in one z.
    """
    gray = torch.linspace(-1.0, 1.0, 2 * 64 * 48).reshape(2, 1, 64, 48)
    tensors = {
        "gray": gray,
        "z": torch.linspace(-1.0, 1.0, 2 * latent_size).reshape(2, latent_size),
        "hints": gray.expand(-1, 3, -1, -1).abs(),
    }
    arguments = [tensors[name] for name in graph.inputs]
    return trace(module, graph, folder, arguments, _DYNAMIC)


def trace(
    module: nn.Module,
    graph: Graph,
    folder: Path,
    arguments: Sequence[torch.Tensor],
    dynamic: Mapping[str, Mapping[int, str]],
) -> Path:
    """Path of the ONNX file written by tracing a module on some arguments.

    Args:
        module: on the CPU.
        graph: its names.
        folder: where the file goes.
        arguments: one for each input.
        dynamic: names of the axes whose size may differ, by tensor.
    """
    path = folder / graph.file
    with warnings.catch_warnings():
        # Deprecated in favour of the exporter declined above; and the shapes compared while
        # tracing come out the same on every grid.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", TracerWarning)
        # Padding is slower by nothing that one could measure.
        warnings.filterwarnings("ignore", message="Constant folding", category=UserWarning)
        torch.onnx.export(
            module.eval().float(),
            tuple(arguments),
            str(path),
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            dynamic_axes={name: dict(dynamic[name]) for name in (*graph.inputs, *graph.outputs)},
            opset_version=OPSET,
            dynamo=False,
        )
    return path
