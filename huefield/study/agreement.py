"""Krippendorff's alpha for nominal answers: agreement beyond chance, 1 perfect, 0 by chance.

Source: Krippendorff, “Computing Krippendorff's Alpha-Reliability” (2011).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence


def krippendorff_alpha(units: Iterable[Sequence[Hashable]]) -> float | None:
    """Alpha of units that were each judged several times; None where it is not defined.

    Args:
        units: the answers that each unit got, in any order; units with one answer say nothing.
    """
    observed = 0.0
    values: Counter[Hashable] = Counter()
    for answers in units:
        if len(answers) < 2:
            continue
        counts = Counter(answers)
        values.update(counts)
        pairs = sum(count * (len(answers) - count) for count in counts.values())
        observed += pairs / (len(answers) - 1)
    n = sum(values.values())
    expected = sum(count * (n - count) for count in values.values())
    if n < 2 or expected == 0:
        return None
    return 1.0 - (n - 1) * observed / expected
