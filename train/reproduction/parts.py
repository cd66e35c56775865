"""The parts of the results by name, in the order in which `train.reproduce` makes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from train.reproduction import ablations, consistency, figures, pairs, table2, table3
from train.reproduction.effort import Task


class Part(Protocol):
    """What a module of a part offers."""

    def rows(self, task: Task) -> int:
        """How many times `make` calls `task.done`."""
        ...

    def make(self, task: Task) -> dict[str, Any]:
        """Results for JSON; pictures and folders go below `task.places.out`."""
        ...

    def markdown(self, results: Mapping[str, Any]) -> str:
        """The results as text, with the preset, minutes and seed that `train.reproduce` adds."""
        ...


PARTS: dict[str, Part] = {
    "table2": table2,
    "table3": table3,
    "ablations": ablations,
    "consistency": consistency,
    "figures": figures,
    "pairs": pairs,
}
