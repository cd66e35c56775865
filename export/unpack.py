"""`python -m export.unpack models/NAME RUN`: a model folder as checkpoints, to train on from.

What a graph does not carry (the encoder, the naming layer, features that nothing reads) is not
brought back: `train.joint` and `train.hints` can go on from it, and `export` writes it again.
Exit codes: 0 written, 1 refused, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from export.checkpoints import HINTS_STAGE, JOINT_STAGE, CheckpointError
from export.graphs import DECODER, HINTS, HOC, MDN, Graph
from export.parity import (
    BATCHES,
    EXAMPLES,
    ParityError,
    largest_difference,
    read_gray_grids,
)
from export.traceable import TraceableDecoder, TraceableHints, TraceableHoc, TraceableMdn
from huefield.model_info import ModelError, ModelInfo, read_model_info
from train.config import ConfigError, config_from_dict
from train.hints_network import Hints
from train.networks import Decoder, Hoc, Mdn, NetworkConfig
from train.run import write_checkpoint

# Weights that no graph holds, since nothing that is exported reads them.
UNREAD = ("names.", "gray.fine.", "gray.known.0.")
HOLDS = {
    "vae": ("decoder",),
    "hoc": ("decoder", "hoc"),
    "mdn": ("mdn",),
    JOINT_STAGE: ("decoder", "mdn"),
    HINTS_STAGE: ("hints",),
}


def unpack(model: Path, run: Path, photos: Path = EXAMPLES) -> list[Path]:
    """The checkpoints written: vae.pt, hoc.pt, mdn.pt, and joint.pt and hints.pt where it has them.

    All of them hold the networks as the model has them, after its last stage.

    Args:
        model: a model folder.
        run: folder of the run, made where it is missing.
        photos: folder or zip of real photos that graphs and networks are compared on.

    Raises:
        ModelError: no model folder.
        CheckpointError: a graph does not fit the settings it was trained by, or a checkpoint is
            there already.
        ParityError: network and graph differ.
    """
    info = read_model_info(model)
    written = [run / f"{stage}.pt" for stage in HOLDS if stage in info.training]
    for path in written:
        if path.exists():
            raise CheckpointError(f"{path}: is there already; it is left as it is")
    networks = _networks(model, info, "mdn")
    decoder, hoc, mdn = Decoder(networks), Hoc(networks), Mdn(networks)
    parts: dict[str, nn.Module] = {"decoder": decoder, "hoc": hoc, "mdn": mdn}
    traceable: list[tuple[nn.Module, Graph]] = [
        (TraceableDecoder(decoder), DECODER),
        (TraceableHoc(hoc), HOC),
        (TraceableMdn(mdn), MDN),
    ]
    if HINTS_STAGE in info.training:
        hints = Hints(_networks(model, info, HINTS_STAGE))
        parts["hints"] = hints
        traceable.append((TraceableHints(hints), HINTS))
    grids = read_gray_grids(photos, max(BATCHES))
    codes = np.random.default_rng(0).standard_normal((max(BATCHES), networks.latent_size))
    for module, graph in traceable:
        path = model / graph.file
        _fill(module.eval(), graph, path, networks.latent_size)
        largest_difference(module, graph, path, grids, codes.astype(np.float32))
    run.mkdir(parents=True, exist_ok=True)
    states = {name: part.state_dict() for name, part in parts.items()}
    try:
        for path in written:
            stage = path.stem
            content = {"stage": stage, "config": dict(info.training[stage])}
            content["metrics"] = dict(info.metrics.get(stage, {}))
            write_checkpoint(path, content | {name: states[name] for name in HOLDS[stage]})
    except OSError:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return written


def _networks(model: Path, info: ModelInfo, stage: str) -> NetworkConfig:
    try:
        return config_from_dict(dict(info.training[stage])).networks
    except (KeyError, ConfigError) as error:
        raise CheckpointError(f"{model}: training of '{stage}': {error}") from error


def _fill(module: nn.Module, graph: Graph, path: Path, latent_size: int) -> None:
    """Gives a traceable module the weights of its graph.

    Weights keep their names. The scales and shifts of the norms lose theirs, as do the vectors that
    are reshaped before they are used: they come in the order in which they are met, which the
    comparison of network and graph confirms.
    """
    stored = onnx.load(str(path)).graph
    weights = {
        tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy())
        for tensor in stored.initializer
    }
    for node in stored.node:
        if node.op_type == "Identity" and node.input[0] in weights:  # weights that are alike
            weights[node.output[0]] = weights[node.input[0]]
    state = module.state_dict()
    for norm, scale, shift in zip(
        _norms_as_met(module, graph, latent_size),
        _nameless(stored, weights, {"Mul"}, (3,)),
        _nameless(stored, weights, {"Add"}, (3,)),
        strict=False,  # what is missing is missed below
    ):
        weights |= {f"{norm}.weight": scale.flatten(), f"{norm}.bias": shift.flatten()}
    missing = [n for n in state if n not in weights and not any(unread in n for unread in UNREAD)]
    reshaped = _nameless(stored, weights, {"Mul", "Add"}, (4, 5)) if missing else []
    weights |= {name: vector.flatten() for name, vector in zip(missing, reshaped, strict=False)}
    for name in missing:
        if name not in weights:
            raise CheckpointError(f"{path}: expected the weights {name}, found none")
    for name in state.keys() & weights.keys():
        if weights[name].shape != state[name].shape:
            raise CheckpointError(
                f"{path}: expected {name} of {list(state[name].shape)}, "
                f"got {list(weights[name].shape)}"
            )
    module.load_state_dict({name: weights.get(name, value) for name, value in state.items()})


def _nameless(
    graph: onnx.GraphProto, weights: dict[str, Tensor], kinds: set[str], dims: tuple[int, ...]
) -> list[Tensor]:
    """The weights without a name of their own that nodes of some kinds read, in their order.

    Those of norms have 3 dimensions, (C, 1, 1); vectors that were reshaped have more.
    """
    read = [name for node in graph.node if node.op_type in kinds for name in node.input]
    found = [weights[name] for name in read if name.startswith("onnx::") and name in weights]
    return [tensor for tensor in found if tensor.dim() in dims]


def _norms_as_met(module: nn.Module, graph: Graph, latent_size: int) -> list[str]:
    met: list[str] = []
    hooks = [
        part.register_forward_hook(lambda *_, name=name: met.append(name))
        for name, part in module.named_modules()
        if isinstance(part, nn.GroupNorm)
    ]
    tensors = {
        "gray": torch.zeros(1, 1, 64, 64),
        "z": torch.zeros(1, latent_size),
        "hints": torch.zeros(1, 3, 64, 64),
    }
    with torch.no_grad():
        module(*(tensors[name] for name in graph.inputs))
    for hook in hooks:
        hook.remove()
    return met


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m export.unpack", description="Write a model folder as checkpoints."
    )
    parser.add_argument("model", type=Path, help="model folder, such as models/photos")
    parser.add_argument("run", type=Path, help="folder of the run to write")
    options = parser.parse_args(arguments)
    try:
        written = unpack(options.model, options.run)
    except (CheckpointError, ModelError, ParityError, OSError) as error:
        print(f"export.unpack: {error}", file=sys.stderr)
        return 1
    print(f"{options.run}: {', '.join(path.name for path in written)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
