"""Votes are deleted when the time that people consented to is over."""

from __future__ import annotations

import time

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.webapp.study.conftest import MakeStudy, Participant
from webapp.database.tables import CELL, PARTICIPANT, TRIAL, VOTE
from webapp.study.keeping import EVERY, Keeping
from webapp.study.store import StudyStore

DAY = 86_400.0


@pytest.fixture
def counts(store: StudyStore) -> object:
    def count() -> tuple[int, ...]:
        with store.database.read() as connection:
            rows = [
                connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (PARTICIPANT, TRIAL, VOTE)
            ]
            planned = connection.execute(select(func.sum(CELL.c.planned))).scalar_one()
        return (*rows, int(planned))

    return count


def test_people_go_when_their_days_are_over(
    app: Flask, store: StudyStore, make_study: MakeStudy, counts: object
) -> None:
    assert callable(counts)
    make_study(keep_days=30)
    now = time.time()
    Participant(app).begin().finish()
    Participant(app).begin().vote()
    before = counts()
    assert before[0] == 2
    assert Keeping(store, lambda: now + 29 * DAY).look() == 0
    assert counts() == before
    late = now + 30 * DAY + 60
    # One comes back in time and stays for as long again.
    participation = app.extensions["huefield_participation"]
    third = Participant(app).begin()
    participation._clock = lambda: now + 5 * DAY
    third.vote()
    assert Keeping(store, lambda: late).look() == 2
    people, trials, votes, planned = counts()
    assert (people, votes) == (1, 1)
    assert trials == 11  # 1 practice, 6 judged, 2 checks, 2 repeats
    assert planned == 6


def test_looking_is_rare(store: StudyStore, make_study: MakeStudy, app: Flask) -> None:
    make_study(keep_days=1)
    Participant(app).begin()
    times = [time.time()]
    keeping = Keeping(store, lambda: times[0])
    assert keeping.look() == 0
    times[0] += EVERY / 2
    assert keeping.look() == 0
    times[0] += 2 * DAY
    assert keeping.look() == 1


def test_a_request_looks(app: Flask, store: StudyStore, make_study: MakeStudy) -> None:
    make_study(keep_days=1)
    person = Participant(app).begin()
    with store.database.write() as connection:
        connection.execute(PARTICIPANT.update().values(seen_at=time.time() - 2 * DAY))
    before = app.before_request_funcs["study"]
    keeping = before[0].__self__  # type: ignore[attr-defined]
    assert isinstance(keeping, Keeping)
    keeping._next = 0.0
    assert person.post("screen", {"color_vision": "typical", "screen_steps": 8}).status_code == 401
