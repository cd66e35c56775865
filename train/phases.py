"""What the settings of all stages have in common, and the error of settings that cannot work.

`config` and `baselines.settings` build their sections on it, `loop` reads it.
"""

from __future__ import annotations

from dataclasses import dataclass


class ConfigError(ValueError):
    """A preset that cannot be used; the message names the key."""


@dataclass(frozen=True)
class ScheduleConfig:
    """How long a stage trains, and how fast.

    Attributes:
        epochs: passes over the training photos.
        batch_size: photos in a step, over all processes.
        learning_rate: peak of the one-cycle rate of Adam.
        warmup: share of the steps with a rising rate.
    """

    epochs: float = 15.0
    batch_size: int = 32
    learning_rate: float = 1e-3
    warmup: float = 0.05


@dataclass(frozen=True)
class PhaseConfig(ScheduleConfig):
    """What the stages of the main line have in common.

    Attributes:
        half_until: share of the steps trained on grids of half the sides, which cost a quarter.
        frozen_blocks: blocks of the gray path's backbone, from the input on, that are not trained.
        backbone_rate: learning rate of the other blocks, as a factor.
    """

    half_until: float = 0.0
    frozen_blocks: int = 5
    backbone_rate: float = 0.1


def expect(good: bool, place: str, expected: str, got: object) -> None:
    """Refuses a value that cannot work.

    Raises:
        ConfigError: naming the key, what was expected and what came.
    """
    if not good:
        raise ConfigError(f"{place}: expected {expected}, got {got}")


def check_schedule(schedule: ScheduleConfig, name: str) -> None:
    """Refuses a schedule that cannot work.

    Raises:
        ConfigError: naming the key in the section `name`.
    """
    for key in ("epochs", "batch_size", "learning_rate"):
        value = getattr(schedule, key)
        expect(value > 0, f"{name}.{key}", "above 0", value)
    warmup = schedule.warmup
    expect(0 <= warmup <= 1, f"{name}.warmup", "a share from 0 to 1", warmup)
