"""Consent given: a participant with a plan of trials, or the one who came back.

Everything happens in one write transaction, so that the counts that a plan rests on are true and
no id takes part twice.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from huefield.study.schedule import Cell, PlannedTrial, plan_trials
from webapp.database.tables import CELL, INVITATION, PARTICIPANT, STUDY, TRIAL
from webapp.problems import ProblemError
from webapp.study.answers import Device
from webapp.study.identities import (
    normalized_code,
    participant_token,
    withdrawal_code,
    withdrawn_id,
)
from webapp.study.live import LiveStudy
from webapp.study.store import hashed

DROPPED_AFTER = 2 * 3600.0  # seconds of silence until a person's open trials go to others


@dataclass(frozen=True)
class Entry:
    """How somebody came: `external_id` says who, `session` proves the same visit on return."""

    source: str
    external_id: str | None = None
    session: str = ""
    invitation: str = ""


def join(
    connection: Connection,
    study: LiveStudy,
    entry: Entry,
    consent_hash: str,
    device: Device,
    now: float,
) -> str:
    """The token of a participation, new or taken up again.

    Raises:
        ProblemError: 403 for an invitation that is not valid, 409 for an id that took part.
    """
    # Holds until the commit on PostgreSQL; SQLite has one writer anyway.
    connection.execute(select(STUDY.c.id).where(STUDY.c.id == study.id).with_for_update())
    if entry.external_id is not None:
        found = _known(connection, study, entry)
        if found is not None:
            return _returned(study, found, entry)
    invitation = _take_invitation(connection, study, entry, now)
    release_dropped(connection, study.id, now)
    number = connection.execute(
        update(STUDY)
        .where(STUDY.c.id == study.id)
        .values(joined=STUDY.c.joined + 1)
        .returning(STUDY.c.joined)
    ).scalar_one()
    participant = connection.execute(
        insert(PARTICIPANT)
        .values(
            study_id=study.id,
            number=number,
            token_hash=secrets.token_hex(32),  # until the number is known
            withdrawal_hash="",
            source=entry.source,
            external_id=entry.external_id if invitation is None else f"invitation-{invitation}",
            external_session=entry.session or None,
            state="consented",
            consented_at=now,
            consent_hash=consent_hash,
            seen_at=now,
            viewport_width=device.width,
            viewport_height=device.height,
            pixel_ratio=device.pixel_ratio,
            pointer=device.pointer,
        )
        .returning(PARTICIPANT.c.id)
    ).scalar_one()
    token = participant_token(study.secret, participant)
    code = normalized_code(withdrawal_code(study.secret, participant))
    connection.execute(
        update(PARTICIPANT)
        .where(PARTICIPANT.c.id == participant)
        .values(token_hash=hashed(token), withdrawal_hash=hashed(code))
    )
    _store_plan(connection, study, participant, number)
    return token


def release_dropped(connection: Connection, study_id: int, now: float) -> int:
    """Gives the open trials of silent people to others; the number of people dropped."""
    silent = connection.execute(
        select(PARTICIPANT.c.id).where(
            PARTICIPANT.c.study_id == study_id,
            PARTICIPANT.c.state == "consented",
            PARTICIPANT.c.seen_at < now - DROPPED_AFTER,
        )
    ).scalars()
    count = 0
    for participant in list(silent):
        add_to_cells(connection, participant, -1)
        connection.execute(
            update(PARTICIPANT).where(PARTICIPANT.c.id == participant).values(state="dropped")
        )
        count += 1
    return count


def add_to_cells(
    connection: Connection, participant: int, amount: int, *, answered_too: bool = False
) -> None:
    """Adds to the counts of the cells that a person's judged trials belong to."""
    wanted = select(TRIAL.c.cell_id).where(
        TRIAL.c.participant_id == participant, TRIAL.c.cell_id.is_not(None)
    )
    if not answered_too:
        wanted = wanted.where(TRIAL.c.answered.is_(False))
    connection.execute(
        update(CELL).where(CELL.c.id.in_(wanted)).values(planned=CELL.c.planned + amount)
    )


def take_up(connection: Connection, participant: int, now: float) -> None:
    """Somebody who was given up is back: the open trials count again."""
    taken = connection.execute(
        update(PARTICIPANT)
        .where(PARTICIPANT.c.id == participant, PARTICIPANT.c.state == "dropped")
        .values(state="consented", seen_at=now)
    )
    if taken.rowcount:
        add_to_cells(connection, participant, 1)


def _known(connection: Connection, study: LiveStudy, entry: Entry) -> Any:
    withdrawn = withdrawn_id(study.secret, entry.source, entry.external_id or "")
    return connection.execute(
        select(PARTICIPANT.c.id, PARTICIPANT.c.state, PARTICIPANT.c.external_session).where(
            PARTICIPANT.c.study_id == study.id,
            PARTICIPANT.c.source == entry.source,
            PARTICIPANT.c.external_id.in_([entry.external_id, withdrawn]),
        )
    ).first()


def _returned(study: LiveStudy, found: Any, entry: Entry) -> str:
    participant, state, session = found
    if state == "withdrawn":
        raise ProblemError(409, "withdrawn", "You withdrew", "You left this study; thank you.")
    if session != entry.session:
        raise ProblemError(
            409,
            "took-part",
            "You took part already",
            "Each person can take part once. Go back through the visit that you began with.",
        )
    return participant_token(study.secret, participant)


def _take_invitation(
    connection: Connection, study: LiveStudy, entry: Entry, now: float
) -> int | None:
    """Uses an invitation up; its number, or None when the person came another way."""
    if entry.source != "invitation":
        return None
    taken = connection.execute(
        update(INVITATION)
        .where(
            INVITATION.c.study_id == study.id,
            INVITATION.c.token_hash == hashed(entry.invitation),
            INVITATION.c.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(INVITATION.c.id)
    ).scalar_one_or_none()
    if taken is None:
        raise ProblemError(
            403,
            "invitation-refused",
            "This invitation is not valid",
            "It was used already, or was not copied whole. On the device on which you began, "
            "the same link takes you back.",
        )
    return int(taken)


def _store_plan(connection: Connection, study: LiveStudy, participant: int, number: int) -> None:
    """The trials of one person, and their cells counted."""
    ids: dict[Cell, int] = {}
    fill: dict[Cell, int] = {}
    rows = connection.execute(select(CELL).where(CELL.c.study_id == study.id))
    for cell_id, _, dataset, first, second, photo, planned in rows:
        ids[dataset, first, second, photo] = cell_id
        fill[dataset, first, second, photo] = planned
    plan = plan_trials(study.definition, study.frozen.photos, fill, number)
    connection.execute(
        insert(TRIAL),
        [
            {
                "participant_id": participant,
                "key": secrets.token_urlsafe(12),
                "position": position,
                "kind": trial.kind,
                "cell_id": _cell_id(ids, trial),
                "dataset": trial.dataset,
                "photo": trial.photo,
                "left": trial.left,
                "right": trial.right,
                "repeats": trial.repeats,
                "answer": trial.answer,
                "answered": False,
            }
            for position, trial in enumerate(plan)
        ],
    )
    add_to_cells(connection, participant, 1)


def _cell_id(ids: dict[Cell, int], trial: PlannedTrial) -> int | None:
    if trial.kind != "trial":
        return None
    straight = (trial.dataset, trial.left, trial.right, trial.photo)
    return ids.get(straight) or ids[trial.dataset, trial.right, trial.left, trial.photo]
