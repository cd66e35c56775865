"""One side of a training: a loss, the parameters that make it small, their optimiser.

Called by `loop`. Most stages have one; adversarial methods bring rivals, which move before the
stage's own side in each step.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from train.phases import PhaseConfig, ScheduleConfig
from train.run import Run, TrainingError

BETAS = (0.9, 0.98)


@dataclass(frozen=True)
class Rival:
    """A side with a loss of its own, such as a critic.

    Attributes:
        name: of its optimiser in the checkpoint, and in front of its loss in the curves.
        loss: forward(*arguments, move) returns (loss, {name: figure}); what is registered in it is
            trained, and nothing else may be registered in it.
        moves: its moves in each step.
    """

    name: str
    loss: nn.Module
    moves: int = 1


class Player:
    """A side in the middle of its training.

    Args:
        run: for its processes and its name.
        phase: peak of the rate, and the factor for a backbone.
        loss: forward(*arguments) returns (loss, {name: figure}); those of its parameters that ask
            for gradients are trained.
        betas: of Adam.
    """

    def __init__(
        self, run: Run, phase: ScheduleConfig, loss: nn.Module, betas: tuple[float, float]
    ) -> None:
        self._run = run
        self._loss = loss
        groups = _parameter_groups(loss, phase)
        self.parameters: list[nn.Parameter] = [p for group in groups for p in group["params"]]
        self.optimiser = torch.optim.AdamW(
            groups, lr=phase.learning_rate, betas=betas, weight_decay=1e-3
        )
        self._wrapped = (
            DistributedDataParallel(loss, find_unused_parameters=True) if run.world > 1 else loss
        )

    def move(
        self, step: int, rate: float, arguments: Sequence[Any], also: Mapping[str, float]
    ) -> dict[str, float]:
        """Makes the loss smaller by one step; returns it as "loss", with its figures.

        Args:
            step: number of the step.
            rate: its learning rate.
            arguments: what the loss gets.
            also: further figures, to be averaged over the processes with the loss.

        Raises:
            TrainingError: the loss or its gradient is no longer finite.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = group["factor"] * rate
        self._loss.train()
        value, figures = self._wrapped(*arguments)
        loss: Tensor = value
        shared = self._run.average({"loss": loss, **figures, **also})
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = float(nn.utils.clip_grad_norm_(self.parameters, 1.0))
        if not (math.isfinite(shared["loss"]) and math.isfinite(norm)):
            stage = self._run.stage
            raise TrainingError(
                f"{stage}: at step {step} the loss was {shared['loss']} and its gradient {norm}; "
                f"lower {stage}.learning_rate"
            )
        self.optimiser.step()
        return shared


@contextmanager
def alone(player: Player, players: Sequence[Player]) -> Iterator[None]:
    """Lets only one side's parameters ask for gradients, so that no work is done for the others."""
    others = [p for other in players if other is not player for p in other.parameters]
    for parameter in others:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in others:
            parameter.requires_grad_(True)


def _parameter_groups(loss: nn.Module, phase: ScheduleConfig) -> list[dict[str, Any]]:
    """Returns the trained parameters: those of a backbone, which know much already, go slower."""
    slower = phase.backbone_rate if isinstance(phase, PhaseConfig) else 1.0
    groups: dict[float, list[nn.Parameter]] = {1.0: [], slower: []}
    for name, parameter in loss.named_parameters():
        if parameter.requires_grad:
            groups[slower if "backbone." in name else 1.0].append(parameter)
    return [{"params": chosen, "factor": factor} for factor, chosen in groups.items() if chosen]
