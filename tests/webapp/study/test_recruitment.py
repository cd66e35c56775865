from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from tests.webapp.study.conftest import MakeStudy, Participant
from webapp.problems import ProblemError
from webapp.study.addresses import LIFETIME, Addresses
from webapp.study.limits import Limit
from webapp.study.store import StudyStore
from webapp.study.texts import render_markdown

PROLIFIC = {"open_link": False, "prolific": True, "prolific_code": "C1A2B3"}
IDS = {"PROLIFIC_PID": "5f0a1b2c3d4e", "STUDY_ID": "61aa22bb33cc", "SESSION_ID": "7e0f9d8c7b6a"}
TURK = {"assignmentId": "3ABCDEFGHIJ", "hitId": "3HITHITHITHIT", "workerId": "A1WORKERWORKER"}
MTURK = {"open_link": False, "mturk": True}


@pytest.fixture
def database_url(tmp_path: Any) -> str:
    return f"sqlite:///{tmp_path / 'studies.sqlite3'}"


def test_prolific_people_take_part_once_and_come_back(app: Flask, make_study: MakeStudy) -> None:
    make_study(recruitment=PROLIFIC)
    person = Participant(app, **IDS).begin()
    person.vote()
    again = Participant(app, **IDS)
    assert again.join().status_code == 201
    assert again.token == person.token
    assert again.state["progress"]["done"] == 1
    other_visit = Participant(app, **(IDS | {"SESSION_ID": "000000000000"}))
    assert other_visit.join().status_code == 409
    again.finish()
    assert again.state["completion_code"] == "C1A2B3"
    assert again.config()["prolific"].endswith("/submissions/complete?cc=C1A2B3")


def test_prolific_needs_its_ids(app: Flask, make_study: MakeStudy) -> None:
    make_study(recruitment=PROLIFIC)
    assert Participant(app).join().status_code == 403
    for name in IDS:
        for value in ("", "x y", "<script>"):
            assert Participant(app, **(IDS | {name: value})).join().status_code == 422


def test_ways_that_are_not_open_are_refused(app: Flask, make_study: MakeStudy) -> None:
    make_study()
    for entry in (IDS, TURK, {"invitation": "a" * 24}):
        assert Participant(app, **entry).join().status_code == 403


def test_an_invitation_is_used_once(app: Flask, make_study: MakeStudy, store: StudyStore) -> None:
    study = make_study(recruitment={"open_link": False, "invitations": True})
    first, second = store.invite(study, 2)
    person = Participant(app, invitation=first).begin()
    assert Participant(app, invitation=first).join().status_code == 403
    assert Participant(app, invitation=second).join().status_code == 201
    assert Participant(app, invitation="A" * 24).join().status_code == 403
    assert Participant(app).join().status_code == 403
    # The same device has its token and goes on.
    person.finish()
    assert person.get("state").json["phase"] == "finished"


def test_mechanical_turk(app: Flask, make_study: MakeStudy) -> None:
    make_study(recruitment=MTURK)
    preview = Participant(app, assignmentId="ASSIGNMENT_ID_NOT_AVAILABLE", hitId="3HITHITHITHIT")
    assert preview.config()["preview"] is True
    assert preview.join().status_code == 403
    person = Participant(app, **TURK).begin().finish()
    again = Participant(app, **TURK)
    assert again.join().status_code == 201
    assert again.state["completion_code"] == person.state["completion_code"]
    other_task = Participant(app, **(TURK | {"assignmentId": "3ZZZZZZZZZZ"}))
    assert other_task.join().status_code == 409


def test_the_turk_form_goes_to_turk_alone(app: Flask, make_study: MakeStudy) -> None:
    make_study(recruitment=MTURK)
    client = app.test_client()
    site = "https://workersandbox.mturk.com"
    page = client.get("/study/pilot", query_string=TURK | {"turkSubmitTo": site})
    assert f'action="{site}/mturk/externalSubmit"' in page.text
    assert 'name="assignmentId" value="3ABCDEFGHIJ"' in page.text
    evil = client.get("/study/pilot", query_string=TURK | {"turkSubmitTo": "https://evil.example"})
    assert evil.status_code == 422


def test_frames_are_for_turk_and_on_its_studies_alone(app: Flask, make_study: MakeStudy) -> None:
    make_study(recruitment=MTURK)
    client = app.test_client()
    framed = client.get("/study/pilot").headers
    assert "frame-ancestors https://*.mturk.com" in framed["Content-Security-Policy"]
    assert "X-Frame-Options" not in framed
    for path in ("/", "/admin/login", "/study/pilot/withdraw", "/study/none"):
        headers = client.get(path).headers
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], path
        assert headers["X-Frame-Options"] == "DENY", path


def test_other_studies_are_not_framed(app: Flask, make_study: MakeStudy) -> None:
    make_study()
    headers = app.test_client().get("/study/pilot").headers
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"


def test_who_withdrew_can_not_take_part_again(app: Flask, make_study: MakeStudy) -> None:
    make_study(recruitment=PROLIFIC)
    person = Participant(app, **IDS).begin()
    code = person.state["withdrawal_code"]
    app.test_client().post("/study/pilot/withdraw", data={"code": code})
    assert Participant(app, **IDS).join().status_code == 409


def test_joins_and_votes_are_limited(app: Flask, make_study: MakeStudy) -> None:
    make_study()
    app.extensions["huefield_study_limits"]["joins"] = Limit(3, 600)
    statuses = [Participant(app).join().status_code for _ in range(5)]
    assert statuses == [201, 201, 201, 429, 429]
    app.extensions["huefield_study_limits"]["joins"] = Limit(1000, 600)
    app.extensions["huefield_study_limits"]["votes"] = Limit(4, 10)
    person = Participant(app).begin()
    ballot = person.ballot()
    answers = [person.post("votes", ballot) for _ in range(6)]
    assert [a.status_code for a in answers] == [200] * 4 + [429] * 2
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_a_limit_forgets() -> None:
    now = [0.0]
    limit = Limit(2, 10, lambda: now[0])
    limit.use("a")
    limit.use("a")
    limit.use("b")
    with pytest.raises(ProblemError):
        limit.use("a")
    now[0] = 10.0
    limit.use("a")


def test_addresses_tell_nothing_and_can_not_be_forged() -> None:
    now = [1000.0]
    addresses = Addresses("secret", lambda: now[0])
    sealed = [addresses.seal(7, "left") for _ in range(200)]
    assert len({a[:6] for a in sealed}) == 200
    assert {len(a) for a in sealed} == {len(addresses.seal(10**12, "gray"))}
    assert addresses.open(sealed[0]) == (7, "left")
    for k in range(len(sealed[0]) - 1):
        other = "A" if sealed[0][k] != "A" else "B"
        assert addresses.open(sealed[0][:k] + other + sealed[0][k + 1 :]) is None
    for broken in ("", "x", "é", sealed[0][:-4], sealed[0] + "AAAA", "=" * 50):
        assert addresses.open(broken) is None
    assert Addresses("other").open(sealed[0]) is None
    now[0] += LIFETIME + 1
    assert addresses.open(sealed[0]) is None


def test_markdown_brings_no_script_and_no_pictures() -> None:
    text = (
        "# Hi\n<script>x</script> ![p](http://e.example/p.png) [a](javascript:x) [b](https://e.x)"
    )
    html = render_markdown(text)
    assert not re.search(r"<script|<img|href=.javascript:", html)
    assert 'href="https://e.x"' in html


def test_own_texts_are_shown(app: Flask, make_study: MakeStudy) -> None:
    texts = {"consent": "Read **this**.", "question": "Which is <real>?", "debrief": "*Bye*"}
    make_study(texts=texts)
    html = app.test_client().get("/study/pilot").text
    assert "Read <strong>this</strong>." in html
    assert "Which is &lt;real&gt;?" in html
    assert "<em>Bye</em>" in html
