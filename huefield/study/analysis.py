"""An export turned into figures: everything that a report says, as one plain document.

Always twice: with the exclusions that the definition declared ("filtered"), and with all votes
("all"). The same export gives the same document, digit for digit.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from huefield.study.agreement import krippendorff_alpha
from huefield.study.bradley_terry import strengths
from huefield.study.comparisons import Comparisons, comparisons_of, per_cluster
from huefield.study.definition import TRUTH, Definition
from huefield.study.export import StudyExport, VoteRow
from huefield.study.filters import Behaviour, behaviours
from huefield.study.intervals import (
    binomial_p,
    bootstrap_shares,
    cluster_weights,
    percentile_interval,
    two_way_interval,
    wilson,
)

Document = dict[str, Any]
_DIGITS = 6  # significant ones
_TIME_EDGES = (0, 200, 400, 700, 1000, 1500, 2000, 3000, 4500, 7000, 10_000, 20_000, 60_000)


def analyse(export: StudyExport) -> Document:
    """The figures of a study as JSON values; shares in 0..1, times in milliseconds."""
    definition = export.definition
    votes = sorted(export.votes, key=lambda vote: (vote.participant, vote.position))
    people = behaviours(votes, definition.filters)
    excluded = {person.participant for person in people if person.reasons}
    kept = [vote for vote in votes if vote.participant not in excluded]
    document: Document = {
        "study": {
            "name": definition.name,
            "version": definition.version,
            "title": definition.title,
            "protocol": definition.protocol,
            "hash": export.hash,
            "filters": asdict(definition.filters),
        },
        "people": _people(export, people),
        "filtered": _part(kept, definition),
        "all": _part(votes, definition),
        "exclusions": [asdict(person) for person in people if person.reasons],
    }
    rounded: Document = _rounded(document)
    return rounded


def _people(export: StudyExport, people: list[Behaviour]) -> Document:
    states = [row.state for row in export.participants]
    return {
        "consented": len(states),
        "finished": states.count("finished"),
        "voted": len(people),
        "excluded": sum(bool(person.reasons) for person in people),
    }


def _part(votes: Sequence[VoteRow], definition: Definition) -> Document:
    """The figures of some of the votes."""
    found = comparisons_of(votes, definition)
    draws = definition.bootstrap
    rng = np.random.default_rng([definition.seed, 95])
    people = cluster_weights(max(found.num_persons, 1), draws, rng)
    photos = cluster_weights(max(found.num_photos, 1), draws, rng)
    counts = {kind: sum(vote.kind == kind for vote in votes) for kind in ("trial", "check")}
    return {
        "votes": counts["trial"],
        "persons": found.num_persons,
        "table": _table(found, definition, people, photos),
        "strengths": _all_strengths(found, definition, people),
        "repeats": _repeats(votes),
        "checks": {
            "answered": counts["check"],
            "passed": sum(vote.kind == "check" and vote.choice == vote.answer for vote in votes),
        },
        "times": _times(votes),
    }


def _table(
    found: Comparisons, definition: Definition, people: np.ndarray, photos: np.ndarray
) -> list[Document]:
    """One row a pair and dataset, and one a pair over all datasets when there are several."""
    rows = []
    for pair, (first, second) in enumerate(found.pairs):
        inside = [
            k
            for k, name in enumerate(found.datasets)
            if {first, second} in [set(other) for other in definition.pairs_of(name)]
        ]
        wanted: list[int | None] = [*inside] if len(inside) < 2 else [*inside, None]
        for dataset in wanted:
            mask = found.cell(dataset, pair)
            undecided = found.undecided[:, pair] if dataset is None else found.undecided[dataset]
            row = _share_row(found, mask, people, photos)
            rows.append(
                {
                    "dataset": None if dataset is None else found.datasets[dataset],
                    "first": first,
                    "second": second,
                    "undecided": int(undecided.sum() if dataset is None else undecided[pair]),
                    **row,
                }
            )
    return rows


def _share_row(
    found: Comparisons, mask: np.ndarray, people: np.ndarray, photos: np.ndarray
) -> Document:
    """Share won by the first method among some votes, with its intervals."""
    n, wins = int(mask.sum()), int(found.won[mask].sum())
    share = wins / n if n else math.nan
    by_person, num_persons = _clustered(found.person, found.num_persons, mask, found.won, people)
    by_photo, num_photos = _clustered(found.photo, found.num_photos, mask, found.won, photos)
    both = two_way_interval(by_person, by_photo, share, n, (num_persons, num_photos))
    return {
        "n": n,
        "wins": wins,
        "share": share,
        "wilson": list(wilson(wins, n)),
        "binomial_p": binomial_p(wins, n),
        "by_person": list(percentile_interval(by_person, share, num_persons)),
        "by_photo": list(percentile_interval(by_photo, share, num_photos)),
        "by_both": list(both),
    }


def _clustered(
    cluster: np.ndarray, size: int, mask: np.ndarray, won: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, int]:
    """Resampled shares (draws,) and how many clusters have a vote."""
    wins, totals = per_cluster(cluster, max(size, 1), mask, won)
    shares = bootstrap_shares(wins[:, None], totals[:, None], weights)[:, 0]
    return shares, int((totals > 0).sum())


def _all_strengths(
    found: Comparisons, definition: Definition, people: np.ndarray
) -> list[Document]:
    """Bradley–Terry strengths per dataset, and over all when there are several."""
    datasets: list[int | None] = list(range(len(found.datasets)))
    if len(datasets) > 1:
        datasets.append(None)
    parts = []
    for dataset in datasets:
        names = (
            list(dict.fromkeys(name for pair in found.pairs for name in pair))
            if dataset is None
            else _compared(definition, found.datasets[dataset])
        )
        parts.append(
            {
                "dataset": None if dataset is None else found.datasets[dataset],
                "methods": _strengths(found, dataset, names, people),
            }
        )
    return parts


def _compared(definition: Definition, dataset: str) -> list[str]:
    return list(dict.fromkeys(name for pair in definition.pairs_of(dataset) for name in pair))


def _strengths(
    found: Comparisons, dataset: int | None, names: list[str], people: np.ndarray
) -> list[Document]:
    """Strength of each method with its interval by people, strongest first."""
    size = len(names)
    by_person = np.zeros((max(found.num_persons, 1), size, size))
    inside = np.ones(len(found.pair), bool) if dataset is None else found.dataset == dataset
    for pair, (first, second) in enumerate(found.pairs):
        if first not in names or second not in names:
            continue
        i, j = names.index(first), names.index(second)
        mask = inside & (found.pair == pair)
        wins, totals = per_cluster(found.person, len(by_person), mask, found.won)
        by_person[:, i, j] += wins
        by_person[:, j, i] += totals - wins
    estimate = strengths(by_person.sum(0))
    flat = by_person.reshape(len(by_person), -1)
    resampled = strengths((people @ flat).reshape(-1, size, size))  # (draws, M)
    voters = int((flat.sum(1) > 0).sum())
    rows = [
        {
            "method": name,
            "strength": float(estimate[k]),
            "interval": list(percentile_interval(resampled[:, k], float(estimate[k]), voters)),
        }
        for k, name in enumerate(names)
    ]
    return sorted(rows, key=lambda row: (-_sortable(row["strength"]), str(row["method"])))


def _sortable(value: Any) -> float:
    return float(value) if math.isfinite(value) else -math.inf


def _repeats(votes: Sequence[VoteRow]) -> Document:
    """How steady answers are: repeats answered as before, and Krippendorff's alpha."""
    first = {(vote.participant, vote.position): vote for vote in votes}
    units = [
        (first[vote.participant, vote.repeats].chosen, vote.chosen)
        for vote in votes
        if vote.kind == "repeat" and (vote.participant, vote.repeats) in first
    ]
    same = sum(a == b for a, b in units)
    return {"answered": len(units), "same": same, "alpha": krippendorff_alpha(units)}


def _times(votes: Sequence[VoteRow]) -> Document:
    """Histogram of the response times of judged trials, and their median by place in the plan."""
    timed = [vote for vote in votes if vote.kind == "trial" and vote.choice != "timeout"]
    times = np.array([vote.response_ms for vote in timed], np.float64)
    counts, _ = np.histogram(np.minimum(times, _TIME_EDGES[-1]), _TIME_EDGES)
    by_place: dict[int, list[float]] = defaultdict(list)
    for vote in timed:
        by_place[vote.position].append(vote.response_ms)
    return {
        "edges": list(_TIME_EDGES),
        "counts": [int(count) for count in counts],
        "quartiles": [float(q) for q in np.quantile(times, [0.25, 0.5, 0.75])] if timed else [],
        "by_place": [
            [place, float(np.median(values))] for place, values in sorted(by_place.items())
        ],
    }


def _rounded(value: Any) -> Any:
    """The value with floats at six significant digits and what is no number as None, for JSON."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") + 0.0 if math.isfinite(value) else None
    return value


def fooling_rates(part: Document) -> list[Document]:
    """Of "real-or-fake": how often each method was taken for real against the truth."""
    return [
        {**row, "method": row["second"], "rate": None if row["share"] is None else 1 - row["share"]}
        for row in part["table"]
        if row["first"] == TRUTH
    ]
