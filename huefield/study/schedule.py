"""Which trials a person gets: balanced over cells, sides and order drawn from a seed.

A cell is (dataset, pair of methods, photo). `plan_trials` takes the photos shown least so far and,
of each, the pair shown least; so the counts of all cells never differ by more than one once
everybody has finished, as long as all photos of the study have equally many pairs. `webapp.study`
calls it when a person consents, in one transaction with reading the counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from huefield.study.definition import TRUTH, Definition, photos_needed
from huefield.study.records import StudyError

Kind = Literal["practice", "trial", "check", "repeat"]
Photo = tuple[str, str]  # dataset, photo
Cell = tuple[str, str, str, str]  # dataset, method, other method, photo


@dataclass(frozen=True)
class PlannedTrial:
    """One comparison of a person's plan.

    Attributes:
        kind: whether it is practised, judged, an attention check or a repeat.
        dataset: of the photo.
        photo: name of the photo.
        left: method on the left, or shown first.
        right: method on the right, or shown second.
        repeats: place in the plan of the trial that is shown again; None but for repeats.
        answer: the right answer of practice and checks, "left" or "right"; else empty.
    """

    kind: Kind
    dataset: str
    photo: str
    left: str
    right: str
    repeats: int | None = None
    answer: str = ""


def cells_of(definition: Definition, photos: Mapping[str, tuple[str, ...]]) -> list[Cell]:
    """Every cell of a study.

    Args:
        definition: the study.
        photos: names of the photos of each dataset.
    """
    return [
        (dataset, a, b, photo)
        for dataset in definition.datasets
        for photo in photos[dataset]
        for a, b in definition.pairs_of(dataset)
    ]


def check_photos(definition: Definition, photos: Mapping[str, tuple[str, ...]]) -> None:
    """Refuses a study with fewer photos than one person would see.

    Raises:
        StudyError: says how many there are and how many are wanted.
    """
    found = sum(len(names) for names in photos.values())
    wanted = photos_needed(definition)
    if found < wanted:
        raise StudyError(
            f"trials: one person sees {wanted} different photos (count + practice + checks), "
            f"the datasets have {found}; lower these numbers or add photos"
        )


def plan_trials(
    definition: Definition,
    photos: Mapping[str, tuple[str, ...]],
    fill: Mapping[Cell, int],
    number: int,
) -> list[PlannedTrial]:
    """The trials of one person, in the order in which they are shown.

    Args:
        definition: the study.
        photos: names of the photos of each dataset.
        fill: how often each cell was answered or is about to be; cells at 0 may be left out.
        number: which participant; with the study's seed it decides everything left to chance.
    """
    rng = np.random.default_rng([definition.seed, number])
    every = [(dataset, photo) for dataset in definition.datasets for photo in photos[dataset]]
    chosen, rest = _choose_photos(definition, every, fill, rng)
    judged = _judged(definition, chosen, fill, rng)
    spare = [rest[k] for k in rng.permutation(len(rest))]
    trials = definition.trials
    practice = [_fake(definition, "practice", photo, rng) for photo in spare[: trials.practice]]
    wanted = spare[trials.practice : trials.practice + trials.checks]
    checks = [_fake(definition, "check", photo, rng) for photo in wanted]
    main = _mixed(judged, checks, rng)
    return _with_repeats(practice + main, trials.repeats, rng)


def _choose_photos(
    definition: Definition,
    every: list[Photo],
    fill: Mapping[Cell, int],
    rng: np.random.Generator,
) -> tuple[list[Photo], list[Photo]]:
    """The photos to judge (least shown first, ties by chance) and the others."""
    totals = {
        (dataset, photo): sum(
            fill.get((dataset, a, b, photo), 0) for a, b in definition.pairs_of(dataset)
        )
        / len(definition.pairs_of(dataset))
        for dataset, photo in every
    }
    order = [every[k] for k in rng.permutation(len(every))]
    order.sort(key=lambda photo: totals[photo])
    count = definition.trials.count
    return order[:count], order[count:]


def _judged(
    definition: Definition,
    chosen: list[Photo],
    fill: Mapping[Cell, int],
    rng: np.random.Generator,
) -> list[PlannedTrial]:
    """The judged trials: of each photo its least shown pair, or all pairs when it is ranked."""
    found = []
    for dataset, photo in chosen:
        pairs = definition.pairs_of(dataset)
        if definition.protocol == "ranking":
            wanted = list(pairs)
        else:
            order = [pairs[k] for k in rng.permutation(len(pairs))]
            wanted = [min(order, key=lambda pair: fill.get((dataset, *pair, photo), 0))]
        for pair in wanted:
            left, right = _sides(pair, rng)
            found.append(PlannedTrial("trial", dataset, photo, left, right))
    return found


def _fake(
    definition: Definition, kind: Kind, photo: Photo, rng: np.random.Generator
) -> PlannedTrial:
    """A trial with a right answer: a good picture against its obvious fake."""
    good = genuine_of(definition, photo[0])
    left, right = _sides((good, fake_of(good)), rng)
    real = "left" if left == good else "right"
    answer = real
    if definition.protocol == "real-or-fake":
        answer = "right" if real == "left" else "left"  # there people point at the fake
    return PlannedTrial(kind, photo[0], photo[1], left, right, answer=answer)


def genuine_of(definition: Definition, dataset: str) -> str:
    """What obvious fakes are made of: the truth, or the first method where there is none."""
    source = definition.datasets[dataset]
    return TRUTH if source.truth else next(iter(source.methods))


def fake_of(method: str) -> str:
    """The name under which the obvious fake of a method's picture is kept."""
    return f"fake:{method}"


def _mixed(
    judged: list[PlannedTrial], checks: list[PlannedTrial], rng: np.random.Generator
) -> list[PlannedTrial]:
    """Both in random order; a check is never the first of them, and checks are spread."""
    main = [judged[k] for k in rng.permutation(len(judged))]
    slots = np.array_split(np.arange(1, len(main) + 1), max(len(checks), 1))
    places = [int(rng.choice(slot)) if len(slot) else len(main) for slot in slots[: len(checks)]]
    for place, check in sorted(zip(places, checks, strict=True), key=lambda pair: -pair[0]):
        main.insert(place, check)
    return main


def _with_repeats(
    plan: list[PlannedTrial], repeats: int, rng: np.random.Generator
) -> list[PlannedTrial]:
    """The plan with some judged trials shown again at its end, early ones first."""
    judged = [place for place, trial in enumerate(plan) if trial.kind == "trial"]
    early = judged[: max(repeats, len(judged) - min(len(judged) // 3, 5))]
    chosen = sorted(int(place) for place in rng.choice(early, repeats, replace=False))
    again = []
    for place in chosen:
        trial = plan[place]
        left, right = _sides((trial.left, trial.right), rng)
        again.append(replace(trial, kind="repeat", left=left, right=right, repeats=place))
    return plan + again


def _sides(pair: tuple[str, str], rng: np.random.Generator) -> tuple[str, str]:
    return pair if rng.integers(2) else (pair[1], pair[0])


def all_pairs(definition: Definition) -> list[tuple[str, str]]:
    """The pairs of all datasets, each once, in the order in which they are reported."""
    found: list[tuple[str, str]] = []
    for dataset in definition.datasets:
        for first, second in definition.pairs_of(dataset):
            if (first, second) not in found and (second, first) not in found:
                found.append((first, second))
    return found


__all__ = [
    "Cell",
    "PlannedTrial",
    "all_pairs",
    "cells_of",
    "check_photos",
    "fake_of",
    "genuine_of",
    "plan_trials",
]
