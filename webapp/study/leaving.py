"""How people leave the records: by their withdrawal code, or when the promised time is over.

`participation` withdraws them, `keeping` looks for votes that were kept long enough.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, select, update

from webapp.database.tables import PARTICIPANT, TRIAL
from webapp.study.identities import normalized_code, withdrawn_id
from webapp.study.joining import add_to_cells, take_up
from webapp.study.live import LiveStudy
from webapp.study.store import hashed


def withdraw(connection: Connection, study: LiveStudy, code: str, now: float) -> bool:
    """Deletes the votes of the person with that code; whether there was one.

    What stays is a row that says “took part”, with a keyed hash in place of an id from elsewhere.
    """
    row = connection.execute(
        select(
            PARTICIPANT.c.id,
            PARTICIPANT.c.source,
            PARTICIPANT.c.external_id,
            PARTICIPANT.c.state,
        ).where(
            PARTICIPANT.c.study_id == study.id,
            PARTICIPANT.c.withdrawal_hash == hashed(normalized_code(code)),
        )
    ).first()
    if row is None:
        return False
    if row.state == "withdrawn":
        return True
    take_up(connection, row.id, now)
    add_to_cells(connection, row.id, -1, answered_too=True)
    connection.execute(delete(TRIAL).where(TRIAL.c.participant_id == row.id))
    known = row.external_id
    connection.execute(
        update(PARTICIPANT)
        .where(PARTICIPANT.c.id == row.id)
        .values(
            state="withdrawn",
            external_id=known and withdrawn_id(study.secret, row.source, known),
            external_session=None,
            color_vision=None,
            screen_steps=None,
            viewport_width=None,
            viewport_height=None,
            pixel_ratio=None,
            pointer=None,
        )
    )
    return True


def expire(connection: Connection, study: int, before: float) -> int:
    """Deletes the people of a study who were last seen before a time; how many.

    Nothing of them stays. The counts of the cells that they filled go back.

    Args:
        connection: of a transaction that writes.
        study: its number.
        before: seconds since 1970.
    """
    people = connection.execute(
        select(PARTICIPANT.c.id, PARTICIPANT.c.state)
        .where(PARTICIPANT.c.study_id == study, PARTICIPANT.c.seen_at < before)
        .with_for_update()
    ).all()
    for person in people:
        take_up(connection, person.id, before)
        add_to_cells(connection, person.id, -1, answered_too=True)
        connection.execute(delete(PARTICIPANT).where(PARTICIPANT.c.id == person.id))
    return len(people)
