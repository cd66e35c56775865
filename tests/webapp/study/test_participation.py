from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.webapp.study.conftest import MakeStudy, Participant
from webapp.database.tables import CELL, PARTICIPANT, TRIAL, VOTE


def count(app: Flask, table: Any) -> int:
    with app.extensions["huefield_database"].read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def rows(app: Flask, query: Any) -> list[Any]:
    with app.extensions["huefield_database"].read() as connection:
        return list(connection.execute(query))


def test_a_person_goes_through_a_whole_study(app: Flask, make_study: MakeStudy) -> None:
    make_study()
    person = Participant(app).begin()
    assert person.state["progress"] == {"done": 0, "total": 11}
    first = person.vote("left").json
    assert first["feedback"]["answer"] in ("left", "right")
    assert first["feedback"]["right"] is (first["feedback"]["answer"] == "left")
    assert person.vote("right").json["feedback"] is None
    person.finish()
    assert person.state["phase"] == "finished"
    assert person.state["completion_code"]
    assert count(app, VOTE) == 11
    (stored,) = rows(app, select(PARTICIPANT))
    assert (stored.state, stored.color_vision, stored.screen_steps) == ("finished", "typical", 8)
    assert stored.finished_at >= stored.consented_at > 1.7e9


def test_a_vote_sent_twice_is_stored_once(app: Flask, make_study: MakeStudy) -> None:
    make_study()
    person = Participant(app).begin()
    ballot = person.ballot("right")
    first, second = person.post("votes", ballot), person.post("votes", ballot)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json["feedback"] == second.json["feedback"]
    assert first.json["state"]["progress"] == second.json["state"]["progress"]
    assert count(app, VOTE) == 1


def test_a_vote_can_not_be_changed(app: Flask, make_study: MakeStudy) -> None:
    make_study()
    person = Participant(app).begin()
    ballot = person.ballot("right")
    assert person.post("votes", ballot).status_code == 200
    assert person.post("votes", ballot | {"choice": "left"}).status_code == 409
    assert person.post("votes", ballot | {"client_key": "another-tab"}).status_code == 409
    assert [vote.choice for vote in rows(app, select(VOTE))] == ["right"]


def test_many_tabs_at_once_cast_one_vote(app: Flask, make_study: MakeStudy) -> None:
    make_study()
    person = Participant(app).begin()
    ballots = [person.ballot("left") for _ in range(12)]
    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(lambda ballot: person.post("votes", ballot).status_code, ballots))
    assert Counter(statuses) == {200: 1, 409: 11}
    assert count(app, VOTE) == 1


def test_trials_come_in_order(app: Flask, make_study: MakeStudy) -> None:
    make_study()
    person = Participant(app).begin()
    ahead = person.state["next"]["key"]
    answer = person.post("votes", person.ballot() | {"trial": ahead})
    assert answer.status_code == 409
    assert "comes first" in answer.json["detail"]
    assert count(app, VOTE) == 0


def test_nobody_votes_for_another(app: Flask, make_study: MakeStudy) -> None:
    make_study()
    victim, other = Participant(app).begin(), Participant(app).begin()
    assert other.post("votes", victim.ballot()).status_code == 404
    for token in ("", "x", victim.token[:-1] + "A", victim.token + "A"):
        victim_page = Participant(app)
        victim_page.token, victim_page.state = token, victim.state
        assert victim_page.post("votes", victim.ballot()).status_code == 401
        assert victim_page.get("state").status_code == 401
    assert count(app, VOTE) == 0


def test_consent_can_not_be_skipped(app: Flask, make_study: MakeStudy) -> None:
    make_study()
    person = Participant(app)
    for body in ({"consent": False}, {"consent": "yes"}, {"consent_hash": "0" * 64}):
        assert person.join(**body).status_code == 422
    assert count(app, PARTICIPANT) == 0
    assert person.join().status_code == 201
    assert person.state["phase"] == "screen"
    assert "trial" not in person.state


def test_the_screen_check_comes_before_votes(app: Flask, make_study: MakeStudy) -> None:
    make_study()
    person = Participant(app)
    person.join()
    (trial,) = rows(app, select(TRIAL.c.key).where(TRIAL.c.position == 0))
    person.state["trial"] = {"key": trial.key}
    assert person.vote().status_code == 403
    assert count(app, VOTE) == 0


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("choice", "both"),
        ("choice", "cant-tell"),
        ("choice", "timeout"),
        ("response_ms", -1),
        ("response_ms", "12"),
        ("response_ms", None),
        ("shows", 0),
        ("input", "mind"),
        ("client_key", "short"),
        ("width", 0),
        ("pixel_ratio", 1e9),
    ],
)
def test_faulty_votes_are_refused_by_name(
    app: Flask, make_study: MakeStudy, member: str, value: object
) -> None:
    make_study()
    person = Participant(app).begin()
    answer = person.post("votes", person.ballot() | {member: value})
    assert answer.status_code == 422
    assert member in answer.json["detail"]
    assert count(app, VOTE) == 0


def test_cells_are_filled_evenly(app: Flask, make_study: MakeStudy) -> None:
    methods = {"alpha": "strong", "beta": "pale", "gamma": "bluish"}
    make_study(datasets={"Towns": {"truth": "truth", "methods": methods}})
    for _ in range(9):
        Participant(app).begin().finish()
    counts = Counter(
        (vote.photo, frozenset((vote.left, vote.right)))
        for vote in rows(
            app,
            select(TRIAL).join(VOTE, VOTE.c.trial_id == TRIAL.c.id).where(TRIAL.c.kind == "trial"),
        )
    )
    assert len(counts) == 36
    assert set(counts.values()) <= {1, 2}
    assert sum(counts.values()) == 54


def test_people_who_fall_silent_give_their_trials_back(
    app: Flask, make_study: MakeStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_study()
    silent = Participant(app).begin()
    for _ in range(3):
        silent.vote()
    planned = select(func.sum(CELL.c.planned))
    assert rows(app, planned)[0][0] == 6
    participation = app.extensions["huefield_participation"]
    now = participation._clock()
    monkeypatch.setattr(participation, "_clock", lambda: now + 3 * 3600)
    other = Participant(app).begin()
    answered = rows(
        app,
        select(func.count()).select_from(TRIAL).where(TRIAL.c.answered, TRIAL.c.kind == "trial"),
    )[0][0]
    assert rows(app, planned)[0][0] == 6 + answered
    # Who comes back all the same goes on where it stopped.
    silent.state = silent.get("state").json
    assert silent.state["progress"]["done"] == 3
    assert rows(app, planned)[0][0] == 12
    silent.finish()
    other.finish()
    assert {person.state for person in rows(app, select(PARTICIPANT))} == {"finished"}


def test_withdrawal_deletes_the_votes(app: Flask, make_study: MakeStudy) -> None:
    make_study()
    person, other = Participant(app).begin().finish(), Participant(app).begin().finish()
    code = person.state["withdrawal_code"]
    address = "/study/pilot/withdraw"
    assert "Enter your withdrawal code" in app.test_client().get(address).text
    wrong = app.test_client().post(address, data={"code": "AAAA-BBBB-CCCC"})
    assert wrong.status_code == 422
    assert count(app, VOTE) == 22
    typed = code.lower().replace("-", " ")
    assert "were deleted" in app.test_client().post(address, data={"code": typed}).text
    assert count(app, VOTE) == 11
    assert person.get("state").status_code == 410
    assert other.get("state").status_code == 200
    assert rows(app, select(func.sum(CELL.c.planned)))[0][0] == 6
    kept = rows(app, select(PARTICIPANT).where(PARTICIPANT.c.state == "withdrawn"))[0]
    assert (kept.color_vision, kept.viewport_width, kept.external_id) == (None, None, None)


def test_a_closed_study_takes_no_votes(app: Flask, store: Any, make_study: MakeStudy) -> None:
    study = make_study()
    person = Participant(app).begin()
    ballot = person.ballot()
    assert person.post("votes", ballot).status_code == 200
    store.close(study)
    assert person.post("votes", ballot).status_code == 200, "a stored vote stays confirmed"
    late = person.ballot() | {"trial": person.state["next"]["key"]}
    assert person.post("votes", late).status_code == 410
    assert person.get("state").json["phase"] == "closed"
    assert Participant(app).join().status_code == 410


def test_time_limits_and_cant_tell_when_the_study_has_them(
    app: Flask, make_study: MakeStudy
) -> None:
    trials = {"count": 6, "practice": 0, "checks": 0, "repeats": 0}
    make_study(trials=trials | {"time_limit": 5, "cant_tell": True})
    person = Participant(app).begin()
    assert person.vote("cant-tell").status_code == 200
    assert person.vote("timeout", input="none").status_code == 200


def test_the_device_rule(app: Flask, make_study: MakeStudy) -> None:
    make_study(device={"kind": "desktop", "min_width": 800})
    assert Participant(app).join(width=1200).status_code == 403
    assert Participant(app).join(width=700, pointer="fine").status_code == 403
    assert Participant(app).join(width=1200, pointer="fine").status_code == 201
