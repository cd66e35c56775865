"""Judged votes as arrays: who, where, which pair, which photo, and whether its first method won."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huefield.study.definition import Definition, Pair
from huefield.study.export import VoteRow
from huefield.study.schedule import all_pairs

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Comparisons:
    """n decided votes, and the undecided ones as counts.

    Attributes:
        datasets: names; `dataset` points into them.
        pairs: the pairs of all datasets; `pair` points into them.
        num_persons: people; `person` is below.
        num_photos: photos of all datasets; `photo` is below.
        person: (n,).
        dataset: (n,).
        pair: (n,).
        photo: (n,).
        won: (n,), whether the pair's first method won.
        undecided: (datasets, pairs), answers "can't tell" and timeouts.
    """

    datasets: tuple[str, ...]
    pairs: tuple[Pair, ...]
    num_persons: int
    num_photos: int
    person: Ints
    dataset: Ints
    pair: Ints
    photo: Ints
    won: NDArray[np.bool_]
    undecided: Ints

    def cell(self, dataset: int | None, pair: int) -> NDArray[np.bool_]:
        """(n,), which votes belong to a pair, in one dataset or (None) in all."""
        wanted = np.full(len(self.pair), True) if dataset is None else self.dataset == dataset
        return np.asarray((self.pair == pair) & wanted)


def comparisons_of(votes: Sequence[VoteRow], definition: Definition) -> Comparisons:
    """The judged votes among `votes`; checks, practice and repeats are left out.

    In "real-or-fake" people point at the fake, so the other one won: it was taken for real.
    """
    datasets = tuple(definition.datasets)
    pairs = tuple(all_pairs(definition))
    place = {pair: k for k, pair in enumerate(pairs)}
    persons: dict[str, int] = {}
    photos: dict[tuple[str, str], int] = {}
    undecided = np.zeros((len(datasets), len(pairs)), np.int64)
    rows: list[tuple[int, int, int, int, bool]] = []
    for vote in votes:
        if vote.kind != "trial":
            continue
        first, second = vote.left, vote.right
        if (first, second) not in place:
            first, second = second, first
        dataset, pair = datasets.index(vote.dataset), place[first, second]
        person = persons.setdefault(vote.participant, len(persons))
        photo = photos.setdefault((vote.dataset, vote.photo), len(photos))
        if vote.choice not in ("left", "right"):
            undecided[dataset, pair] += 1
            continue
        won = (vote.chosen == first) != (definition.protocol == "real-or-fake")
        rows.append((person, dataset, pair, photo, won))
    table = np.array(rows, np.int64).reshape(-1, 5)
    person_, dataset_, pair_, photo_, won_ = table.T
    return Comparisons(
        datasets=datasets,
        pairs=pairs,
        num_persons=len(persons),
        num_photos=len(photos),
        person=person_,
        dataset=dataset_,
        pair=pair_,
        photo=photo_,
        won=won_.astype(bool),
        undecided=undecided,
    )


def per_cluster(
    cluster: Ints, num_clusters: int, mask: NDArray[np.bool_], won: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Wins and votes of each cluster among the votes of a mask, both (num_clusters,)."""
    totals = np.bincount(cluster[mask], minlength=num_clusters)
    wins = np.bincount(cluster[mask], weights=won[mask], minlength=num_clusters)
    return wins.astype(np.float64), totals.astype(np.float64)
