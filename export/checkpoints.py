"""What a training run left: its networks, its configuration, what it measured.

Called by `export.model_folder`.
"""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from train.config import Config, ConfigError, config_from_dict
from train.hints_network import Hints
from train.networks import Decoder, Hoc, Mdn, NetworkConfig

STAGES = ("vae", "hoc", "mdn")
JOINT_STAGE = "joint"
HINTS_STAGE = "hints"


class CheckpointError(ValueError):
    """A run that cannot be exported; the message names the checkpoint."""


@dataclass(frozen=True)
class TrainedRun:
    """A finished run.

    Attributes:
        config: configuration of its last stage.
        decoder: in the state that its last stage left it in.
        hoc: the embedding network.
        mdn: the mixture network, in that state too.
        hints: the hints network, where the run has one.
        training: configuration of each stage, as plain values.
        metrics: best validation figures of each stage.
    """

    config: Config
    decoder: Decoder
    hoc: Hoc
    mdn: Mdn
    hints: Hints | None
    training: Mapping[str, Any]
    metrics: Mapping[str, Any]


def load_run(folder: Path) -> TrainedRun:
    """The networks of RUN/{vae,hoc,mdn}.pt, on the CPU, ready for inference.

    Those of joint.pt stand in for decoder and mixture, and hints.pt counts, where they are there.

    Raises:
        CheckpointError: a checkpoint is missing or unreadable, or the stages do not fit together.
    """
    further = (JOINT_STAGE, HINTS_STAGE)
    stages = STAGES + tuple(stage for stage in further if (folder / f"{stage}.pt").exists())
    checkpoints = {stage: read_checkpoint(folder / f"{stage}.pt") for stage in stages}
    configs = {}
    for stage, checkpoint in checkpoints.items():
        try:
            configs[stage] = config_from_dict(checkpoint["config"])
        except ConfigError as error:
            raise CheckpointError(f"{folder / stage}.pt: key 'config': {error}") from error
        if stage != HINTS_STAGE and _as_exported(configs[stage]) != _as_exported(configs["vae"]):
            raise CheckpointError(
                f"{folder / stage}.pt: its networks have other sizes than those of vae.pt"
            )
    networks = _as_exported(configs["vae"])
    decoder, hoc, mdn = Decoder(networks), Hoc(networks), Mdn(networks)
    hints = load_hints(folder) if HINTS_STAGE in checkpoints else None
    modules: list[tuple[nn.Module, str]] = [(decoder, "decoder"), (hoc, "hoc"), (mdn, "mdn")]
    for module, key in modules:
        holders = [s for s in (*STAGES, JOINT_STAGE) if key in checkpoints.get(s, {})]
        stage = holders[-1] if holders else "vae"
        try:
            module.load_state_dict(checkpoints[stage][key])
        except (KeyError, RuntimeError) as error:
            raise CheckpointError(f"{folder / stage}.pt: key '{key}': {error}") from error
        module.eval().requires_grad_(False)
    return TrainedRun(
        config=configs["mdn"],
        decoder=decoder,
        hoc=hoc,
        mdn=mdn,
        hints=hints,
        training={stage: checkpoint["config"] for stage, checkpoint in checkpoints.items()},
        metrics={stage: dict(c.get("metrics", {})) for stage, c in checkpoints.items()},
    )


def _as_exported(config: Config) -> NetworkConfig:
    """The sizes of a run's networks without the naming layer, which only stage 1 reads."""
    return dataclasses.replace(config.networks, num_classes=0)


def load_hints(folder: Path) -> Hints:
    """The network of RUN/hints.pt, which stands alone: it may be of another run than the rest.

    Raises:
        CheckpointError: the checkpoint is missing or unreadable, or of other sizes than it says.
    """
    path = folder / f"{HINTS_STAGE}.pt"
    checkpoint = read_checkpoint(path)
    try:
        hints = Hints(config_from_dict(checkpoint["config"]).networks)
        hints.load_state_dict(checkpoint["hints"])
    except (ConfigError, KeyError, RuntimeError) as error:
        raise CheckpointError(f"{path}: does not fit this network: {error}") from error
    return hints.eval().requires_grad_(False)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint's dictionary; only tensors and plain values are unpickled.

    Raises:
        CheckpointError: it is missing, damaged, or carries no configuration.
    """
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such checkpoint; train its stage first") from None
    except (OSError, RuntimeError, EOFError, LookupError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path}: is no checkpoint: {error}") from error
    if not isinstance(checkpoint, dict) or "config" not in checkpoint:
        raise CheckpointError(f"{path}: is no checkpoint: it carries no configuration")
    return checkpoint
