"""A stored study as an export: what `huefield.study.export` writes and reports are made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Integer, func, select

from huefield.study.export import ParticipantRow, StudyExport, VoteRow
from webapp.database import Database
from webapp.database.tables import PARTICIPANT, TRIAL, VOTE
from webapp.study.identities import completion_code, exported_id
from webapp.study.store import Study


def export_study(database: Database, study: Study, *, with_ids: bool = False) -> StudyExport:
    """Everybody who consented and did not withdraw, and their votes.

    Args:
        database: where they are.
        study: which study.
        with_ids: also give the ids of Prolific and Mechanical Turk, for paying.
    """
    with database.read() as connection:
        people = _people(connection, study, with_ids=with_ids)
        votes = _votes(connection, study)
    return StudyExport(study.document, tuple(people), tuple(votes))


def completion_codes(database: Database, study: Study) -> list[str]:
    """The completion codes of everybody who finished, to compare with those handed in."""
    query = select(PARTICIPANT.c.id).where(
        PARTICIPANT.c.study_id == study.id, PARTICIPANT.c.state == "finished"
    )
    with database.read() as connection:
        numbers = connection.execute(query).scalars().all()
    return sorted(completion_code(study.secret, number) for number in numbers)


def _people(connection: Connection, study: Study, *, with_ids: bool) -> list[ParticipantRow]:
    counts = (
        select(
            TRIAL.c.participant_id,
            func.count().label("planned"),
            func.sum(TRIAL.c.answered.cast(Integer)).label("answered"),
        )
        .group_by(TRIAL.c.participant_id)
        .subquery()
    )
    query = (
        select(PARTICIPANT, counts.c.planned, counts.c.answered)
        .join(counts, counts.c.participant_id == PARTICIPANT.c.id)
        .where(PARTICIPANT.c.study_id == study.id, PARTICIPANT.c.state != "withdrawn")
    )
    return [
        ParticipantRow(
            participant=exported_id(study.secret, row.source, row.external_id, row.id),
            source=row.source,
            state=row.state,
            consented_at=_time(row.consented_at),
            finished_at=_time(row.finished_at),
            planned=int(row.planned),
            answered=int(row.answered),
            color_vision=row.color_vision or "",
            screen_steps=-1 if row.screen_steps is None else row.screen_steps,
            viewport_width=row.viewport_width,
            viewport_height=row.viewport_height,
            pixel_ratio=float(row.pixel_ratio),
            pointer=row.pointer,
            external_id=(row.external_id or "") if with_ids else "",
        )
        for row in connection.execute(query)
    ]


def _votes(connection: Connection, study: Study) -> list[VoteRow]:
    query = (
        select(
            TRIAL,
            VOTE,
            PARTICIPANT.c.source,
            PARTICIPANT.c.external_id,
            PARTICIPANT.c.id.label("person"),
        )
        .join(VOTE, VOTE.c.trial_id == TRIAL.c.id)
        .join(PARTICIPANT, TRIAL.c.participant_id == PARTICIPANT.c.id)
        .where(PARTICIPANT.c.study_id == study.id)
    )
    return [_vote(study, row) for row in connection.execute(query)]


def _vote(study: Study, row: Any) -> VoteRow:
    return VoteRow(
        participant=exported_id(study.secret, row.source, row.external_id, row.person),
        position=row.position,
        kind=row.kind,
        dataset=row.dataset,
        photo=row.photo,
        left=row.left,
        right=row.right,
        repeats=-1 if row.repeats is None else row.repeats,
        answer=row.answer,
        choice=row.choice,
        chosen={"left": row.left, "right": row.right}.get(row.choice, ""),
        response_ms=float(row.response_ms),
        received_at=_time(row.received_at),
        viewport_width=row.viewport_width,
        viewport_height=row.viewport_height,
        pixel_ratio=float(row.pixel_ratio),
        focus_losses=row.focus_losses,
        hidden_ms=float(row.hidden_ms),
        pauses=row.pauses,
        shows=row.shows,
        input=row.input,
    )


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
