"""How a study goes: people by state, votes per cell, dropouts, times, checks. No win rates."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from sqlalchemy import Connection, func, select

from webapp.database import Database
from webapp.database.tables import CELL, PARTICIPANT, TRIAL, VOTE
from webapp.study.store import Study


@dataclass(frozen=True)
class PairFill:
    """Answered votes of one pair in one dataset, over its photos."""

    dataset: str
    pair: str
    cells: int
    votes: int
    least: int
    most: int


@dataclass(frozen=True)
class Progress:
    """The state of a study in numbers.

    Attributes:
        states: people by state.
        fills: votes per cell, by dataset and pair.
        dropouts: (trials answered, people who stopped there), most frequent first.
        seconds: median time of a judged trial; None before the first.
        checks: attention checks passed and answered.
    """

    states: dict[str, int]
    fills: list[PairFill]
    dropouts: list[tuple[int, int]]
    seconds: float | None
    checks: tuple[int, int]


def progress_of(database: Database, study: Study) -> Progress:
    """The progress of a study at this moment."""
    with database.read() as connection:
        rows = connection.execute(
            select(PARTICIPANT.c.state, func.count())
            .where(PARTICIPANT.c.study_id == study.id)
            .group_by(PARTICIPANT.c.state)
        ).all()
        found = {row[0]: row[1] for row in rows}
        times = connection.execute(
            select(VOTE.c.response_ms)
            .join(TRIAL, VOTE.c.trial_id == TRIAL.c.id)
            .join(PARTICIPANT, TRIAL.c.participant_id == PARTICIPANT.c.id)
            .where(PARTICIPANT.c.study_id == study.id, TRIAL.c.kind == "trial")
        ).scalars()
        measured = list(times)
        return Progress(
            states={
                name: found.get(name, 0)
                for name in ("consented", "finished", "dropped", "withdrawn")
            },
            fills=_fills(connection, study),
            dropouts=_dropouts(connection, study),
            seconds=median(measured) / 1000 if measured else None,
            checks=_checks(connection, study),
        )


def _fills(connection: Connection, study: Study) -> list[PairFill]:
    votes = (
        select(TRIAL.c.cell_id, func.count().label("votes"))
        .join(VOTE, VOTE.c.trial_id == TRIAL.c.id)
        .where(TRIAL.c.cell_id.is_not(None))
        .group_by(TRIAL.c.cell_id)
        .subquery()
    )
    count = func.coalesce(votes.c.votes, 0)
    rows = connection.execute(
        select(
            CELL.c.dataset,
            CELL.c.first,
            CELL.c.second,
            func.count(),
            func.sum(count),
            func.min(count),
            func.max(count),
        )
        .join(votes, votes.c.cell_id == CELL.c.id, isouter=True)
        .where(CELL.c.study_id == study.id)
        .group_by(CELL.c.dataset, CELL.c.first, CELL.c.second)
        .order_by(CELL.c.dataset, CELL.c.first, CELL.c.second)
    )
    return [
        PairFill(dataset, f"{first} vs {second}", cells, int(total), least, most)
        for dataset, first, second, cells, total, least, most in rows
    ]


def _dropouts(connection: Connection, study: Study) -> list[tuple[int, int]]:
    answered = (
        select(PARTICIPANT.c.id, func.count(VOTE.c.trial_id).label("answered"))
        .join(TRIAL, TRIAL.c.participant_id == PARTICIPANT.c.id)
        .join(VOTE, VOTE.c.trial_id == TRIAL.c.id, isouter=True)
        .where(PARTICIPANT.c.study_id == study.id, PARTICIPANT.c.state == "dropped")
        .group_by(PARTICIPANT.c.id)
        .subquery()
    )
    rows = connection.execute(
        select(answered.c.answered, func.count())
        .group_by(answered.c.answered)
        .order_by(func.count().desc(), answered.c.answered)
    )
    return [(int(place), int(people)) for place, people in rows]


def _checks(connection: Connection, study: Study) -> tuple[int, int]:
    rows = connection.execute(
        select(VOTE.c.choice == TRIAL.c.answer, func.count())
        .join(TRIAL, VOTE.c.trial_id == TRIAL.c.id)
        .join(PARTICIPANT, TRIAL.c.participant_id == PARTICIPANT.c.id)
        .where(PARTICIPANT.c.study_id == study.id, TRIAL.c.kind == "check")
        .group_by(VOTE.c.choice == TRIAL.c.answer)
    ).all()
    passed = sum(count for right, count in rows if right)
    return passed, sum(count for _, count in rows)
