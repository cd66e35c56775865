"""Simulated people who answer the plans that a study would give them."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from huefield.study.definition import Definition, frozen_document
from huefield.study.export import ParticipantRow, StudyExport, VoteRow
from huefield.study.reading import definition_from_json
from huefield.study.schedule import PlannedTrial, plan_trials


@dataclass(frozen=True)
class Person:
    """How somebody answers.

    Attributes:
        manner: "good", "random" (clicks anywhere), "left" or "right" (one side), "fast" (any side,
            at once).
        preference: chance to choose a pair's first method, for the good.
        lapse: chance of a slip, for the good.
    """

    manner: str = "good"
    preference: float = 0.65
    lapse: float = 0.02


def study(photos: int = 60, **changes: Any) -> tuple[Definition, dict[str, tuple[str, ...]]]:
    """A study of methods A and B; keywords replace members of its table."""
    table = {
        "name": "crowd",
        "title": "Which looks more real?",
        "contact": "lab@example.org",
        "bootstrap": 500,
        "datasets": {"Photos": {"truth": "t", "methods": {"A": "a", "B": "b"}}},
        "trials": {"count": 20, "practice": 2, "checks": 8, "repeats": 4},
    }
    definition = definition_from_json(table | changes)
    names = tuple(f"p{k:03d}" for k in range(photos))
    return definition, dict.fromkeys(definition.datasets, names)


def simulate(
    definition: Definition,
    photos: dict[str, tuple[str, ...]],
    people: list[Person],
    seed: int = 0,
) -> StudyExport:
    """The export of a study that these people finished, one after the other."""
    rng = np.random.default_rng(seed)
    fill: Counter[tuple[str, str, str, str]] = Counter()
    rows, votes = [], []
    for number, person in enumerate(people, 1):
        plan = plan_trials(definition, photos, fill, number)
        name = f"{person.manner}-{number:04d}"
        for trial in plan:
            if trial.kind == "trial":
                fill[cell_of(definition, trial)] += 1
        votes += answers(definition, name, person, plan, rng)
        rows.append(participant_row(name, len(plan)))
    pictures = [
        {"dataset": d, "photo": p, "method": m, "sha256": "0" * 64, "width": 1, "height": 1}
        for d, names in photos.items()
        for p in names
        for m in definition.methods_of(d)
    ]
    return StudyExport(frozen_document(definition, pictures), tuple(rows), tuple(votes))


def answers(
    definition: Definition,
    name: str,
    person: Person,
    plan: list[PlannedTrial],
    rng: np.random.Generator,
) -> list[VoteRow]:
    """Everything that one person answers; repeats are answered as before, but for slips."""
    found: list[VoteRow] = []
    for position, trial in enumerate(plan):
        choice = choose(definition, person, trial, found, rng)
        slow = float(rng.lognormal(math.log(1800), 0.5))
        time = float(rng.uniform(80, 350)) if person.manner == "fast" else slow
        chosen = {"left": trial.left, "right": trial.right}[choice]
        found.append(vote_row(name, position, trial, choice, chosen, time))
    return found


def choose(
    definition: Definition,
    person: Person,
    trial: PlannedTrial,
    before: list[VoteRow],
    rng: np.random.Generator,
) -> str:
    """The side that somebody chooses."""
    if person.manner in ("left", "right"):
        return person.manner
    if person.manner != "good" or rng.random() < person.lapse:
        return "left" if rng.random() < 0.5 else "right"
    if trial.answer:
        return trial.answer
    if trial.repeats is not None:
        wanted = before[trial.repeats].chosen
    else:
        first, second = cell_of(definition, trial)[1:3]
        wanted = first if rng.random() < person.preference else second
    return "left" if trial.left == wanted else "right"


def cell_of(definition: Definition, trial: PlannedTrial) -> tuple[str, str, str, str]:
    """The cell of a judged trial."""
    pair = (trial.left, trial.right)
    first, second = pair if pair in definition.pairs_of(trial.dataset) else pair[::-1]
    return trial.dataset, first, second, trial.photo


def vote_row(
    name: str, position: int, trial: PlannedTrial, choice: str, chosen: str, time: float
) -> VoteRow:
    """A vote as exported."""
    return VoteRow(
        participant=name,
        position=position,
        kind=trial.kind,
        dataset=trial.dataset,
        photo=trial.photo,
        left=trial.left,
        right=trial.right,
        repeats=-1 if trial.repeats is None else trial.repeats,
        answer=trial.answer,
        choice=choice,
        chosen=chosen,
        response_ms=round(time, 2),
        received_at="2025-01-01T00:00:00Z",
        viewport_width=390,
        viewport_height=844,
        pixel_ratio=3.0,
        focus_losses=0,
        hidden_ms=0.0,
        pauses=0,
        shows=1,
        input="touch",
    )


def participant_row(name: str, planned: int) -> ParticipantRow:
    """A person who finished, as exported."""
    return ParticipantRow(
        participant=name,
        source="open",
        state="finished",
        consented_at="2025-01-01T00:00:00Z",
        finished_at="2025-01-01T00:05:00Z",
        planned=planned,
        answered=planned,
        color_vision="typical",
        screen_steps=8,
        viewport_width=390,
        viewport_height=844,
        pixel_ratio=3.0,
        pointer="coarse",
    )
