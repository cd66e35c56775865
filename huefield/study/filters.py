"""Who was attentive: measures per person, and the exclusions that the definition declared.

Applied in the analysis only; votes are never dropped from an export.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from huefield.study.definition import Filters
from huefield.study.export import VoteRow

LEAST_ANSWERS = 8  # below this, shares of fast and one-sided answers say nothing


@dataclass(frozen=True)
class Behaviour:
    """How one person answered; shares in 0..1, None where there is nothing to tell from.

    Attributes:
        participant: who, as in the export.
        answers: judged trials, checks and repeats answered.
        fast_share: answers below the fastest one allowed.
        check_accuracy: attention checks passed.
        one_side_share: answers on the side that was chosen more often.
        repeat_consistency: repeats answered as before.
        median_ms: median response time, milliseconds.
        reasons: filters that exclude this person, empty when kept.
    """

    participant: str
    answers: int
    fast_share: float | None
    check_accuracy: float | None
    one_side_share: float | None
    repeat_consistency: float | None
    median_ms: float | None
    reasons: tuple[str, ...]


def behaviours(votes: Iterable[VoteRow], filters: Filters) -> list[Behaviour]:
    """Everybody's behaviour, in the order of their names."""
    by_person: dict[str, list[VoteRow]] = defaultdict(list)
    for vote in votes:
        if vote.kind != "practice":
            by_person[vote.participant].append(vote)
    return [_behaviour(name, by_person[name], filters) for name in sorted(by_person)]


def _behaviour(name: str, votes: list[VoteRow], filters: Filters) -> Behaviour:
    enough = len(votes) >= LEAST_ANSWERS
    sided = [vote.choice for vote in votes if vote.choice in ("left", "right")]
    checks = [vote.choice == vote.answer for vote in votes if vote.kind == "check"]
    first = {vote.position: vote for vote in votes}
    repeats = [
        vote.chosen == first[vote.repeats].chosen
        for vote in votes
        if vote.kind == "repeat" and vote.repeats in first
    ]
    times = sorted(vote.response_ms for vote in votes if vote.choice != "timeout")
    fast = _share([time < filters.fastest_ms for time in times]) if enough else None
    lefts = sided.count("left")
    one_side = max(lefts, len(sided) - lefts) / len(sided) if enough and sided else None
    accuracy = _share(checks)
    consistency = _share(repeats)
    reasons = []
    if fast is not None and fast > filters.fast_share:
        reasons.append("fast answers")
    if accuracy is not None and accuracy < filters.check_accuracy:
        reasons.append("attention checks")
    if one_side is not None and one_side > filters.one_side_share:
        reasons.append("one side")
    if consistency is not None and consistency < filters.repeat_consistency:
        reasons.append("repeats")
    return Behaviour(
        participant=name,
        answers=len(votes),
        fast_share=fast,
        check_accuracy=accuracy,
        one_side_share=one_side,
        repeat_consistency=consistency,
        median_ms=_median(times),
        reasons=tuple(reasons),
    )


def _share(flags: list[bool]) -> float | None:
    return sum(flags) / len(flags) if flags else None


def _median(ordered: list[float]) -> float | None:
    if not ordered:
        return None
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
