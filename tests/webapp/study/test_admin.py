from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from huefield.study.export import read_export
from huefield.study.records import StudyError
from tests.webapp.study.conftest import MakeStudy, Participant
from webapp.admin.passwords import set_password
from webapp.study.store import StudyStore

PASSWORD = "correct horse battery"
PAGES = [
    "/admin/",
    "/admin/studies/pilot/1",
    "/admin/studies/pilot/1/progress",
    "/admin/studies/pilot/1/export.zip",
    "/admin/studies/pilot/1/report.html?early=1",
    "/admin/studies/pilot/1/report.json?early=1",
]


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'studies.sqlite3'}"


@pytest.fixture
def locked(app: Flask, store: StudyStore) -> FlaskClient:
    set_password(store.database, PASSWORD)
    return app.test_client()


@pytest.fixture
def admin(locked: FlaskClient) -> FlaskClient:
    assert locked.post("/admin/login", data={"password": PASSWORD}).status_code == 303
    return locked


def csrf(client: FlaskClient) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/admin/").text)
    assert found
    return found[1]


def act(client: FlaskClient, action: str, **data: str) -> Any:
    path = f"/admin/studies/pilot/1/{action}"
    return client.post(path, data={"csrf": csrf(client)} | data)


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_shown_without_login(
    locked: FlaskClient, make_study: MakeStudy, path: str
) -> None:
    make_study()
    answer = locked.get(path)
    assert answer.status_code == 302
    assert answer.location == "/admin/login"
    assert "pilot" not in answer.text


@pytest.mark.parametrize("action", ["open", "close", "delete", "invite"])
def test_nothing_is_done_without_login(
    locked: FlaskClient, make_study: MakeStudy, store: StudyStore, action: str
) -> None:
    make_study()
    answer = locked.post(f"/admin/studies/pilot/1/{action}", data={"name": "pilot", "count": "1"})
    assert answer.status_code == 401
    assert store.find("pilot").state == "open"


def test_participants_are_no_admins(app: Flask, locked: FlaskClient, make_study: MakeStudy) -> None:
    make_study()
    person = Participant(app).begin()
    for path in PAGES:
        answer = person.client.get(path, headers=person.headers())
        assert answer.status_code == 302


def test_forms_of_other_pages_are_refused(
    admin: FlaskClient, make_study: MakeStudy, store: StudyStore
) -> None:
    make_study()
    path = "/admin/studies/pilot/1/close"
    assert admin.post(path).status_code == 403
    assert admin.post(path, data={"csrf": "guess"}).status_code == 403
    evil = {"Origin": "http://evil.example"}
    assert admin.post(path, data={"csrf": csrf(admin)}, headers=evil).status_code == 403
    assert store.find("pilot").state == "open"
    assert act(admin, "close").status_code == 303
    assert store.find("pilot").state == "closed"


def test_wrong_passwords_are_counted(locked: FlaskClient) -> None:
    for _ in range(5):
        assert locked.post("/admin/login", data={"password": "wrong"}).status_code == 403
    answer = locked.post("/admin/login", data={"password": PASSWORD})
    assert answer.status_code == 429
    assert "quarter of an hour" in answer.text
    elsewhere = locked.post(
        "/admin/login", data={"password": PASSWORD}, environ_base={"REMOTE_ADDR": "10.1.1.1"}
    )
    assert elsewhere.status_code == 303


def test_right_passwords_are_not_counted(locked: FlaskClient) -> None:
    for _ in range(8):
        assert locked.post("/admin/login", data={"password": PASSWORD}).status_code == 303


def test_the_window_of_failures_passes(
    app: Flask, locked: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        locked.post("/admin/login", data={"password": "wrong"})
    logins = app.extensions["huefield_logins"]
    later = logins._clock() + 901
    monkeypatch.setattr(logins, "_clock", lambda: later)
    assert locked.post("/admin/login", data={"password": PASSWORD}).status_code == 303


def test_without_a_password_nobody_gets_in(app: Flask) -> None:
    client = app.test_client()
    assert "No password is set" in client.get("/admin/login").text
    assert client.post("/admin/login", data={"password": ""}).status_code == 403


def test_short_passwords_are_refused(store: StudyStore) -> None:
    with pytest.raises(StudyError, match="at least 10 characters, got 5"):
        set_password(store.database, "short")


def test_a_new_password_ends_sessions(admin: FlaskClient, store: StudyStore) -> None:
    assert admin.get("/admin/").status_code == 200
    set_password(store.database, "another password")
    assert admin.get("/admin/").status_code == 302


def test_sessions_end(admin: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    now = time.time()
    monkeypatch.setattr("webapp.admin.routes.time.time", lambda: now + 3500)
    assert admin.get("/admin/").status_code == 200
    monkeypatch.setattr("webapp.admin.routes.time.time", lambda: now + 3500 + 3601)
    assert admin.get("/admin/").status_code == 302


def test_logging_out(admin: FlaskClient) -> None:
    assert admin.post("/admin/logout", data={"csrf": csrf(admin)}).status_code == 303
    assert admin.get("/admin/").status_code == 302


def test_headers_of_admin_pages(admin: FlaskClient, make_study: MakeStudy) -> None:
    make_study()
    for path in PAGES:
        answer = admin.get(path)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "script-src *" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_study_from_zip_to_deletion(
    admin: FlaskClient, folders: Path, store: StudyStore, app: Flask
) -> None:
    text = """
name = "pilot"
title = "From a zip"
contact = "lab@example.org"
[trials]
count = 6
practice = 1
checks = 2
repeats = 1
[recruitment]
invitations = true
[datasets.Towns]
truth = "truth"
methods = {alpha = "strong", beta = "pale"}
"""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("mine/study.toml", text)
        for name in ("truth", "strong", "pale"):
            for path in sorted((folders / name).iterdir()):
                archive.write(path, f"mine/{name}/{path.name}")
    stream.seek(0)
    made = admin.post("/admin/studies", data={"csrf": csrf(admin), "study": (stream, "s.zip")})
    assert made.status_code == 303, made.text
    assert store.find("pilot").state == "draft"
    assert app.test_client().get("/study/pilot").status_code == 404
    assert act(admin, "open").status_code == 303
    links = re.findall(r"\?invitation=([\w-]+)", act(admin, "invite", count="3").text)
    assert len(set(links)) == 3
    person = Participant(app, invitation=links[0]).begin().finish()
    assert person.state["phase"] == "finished"
    page = admin.get("/admin/studies/pilot/1").text
    assert re.search(r"finished</dt><dd>1<", page)
    assert "Win rates are hidden" in page
    assert admin.get("/admin/studies/pilot/1/report.html").status_code == 409
    assert act(admin, "close").status_code == 303
    assert "Percent won" in admin.get("/admin/studies/pilot/1/report.html").text
    sent = admin.get("/admin/studies/pilot/1/export.zip")
    with zipfile.ZipFile(io.BytesIO(sent.data)) as archive:
        archive.extractall(folders.parent / "export")
    export = read_export(folders.parent / "export" / "pilot-1")
    assert (len(export.participants), len(export.votes)) == (1, 10)
    assert act(admin, "delete", name="pilots").status_code == 422
    assert act(admin, "delete", name="pilot").status_code == 303
    assert store.all() == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../study.toml", "leads outside"),
        ("/study.toml", "leads outside"),
        ("other.toml", "expected one study.toml"),
        ("study.toml", "not valid TOML"),
    ],
)
def test_faulty_zips_are_explained(admin: FlaskClient, name: str, said: str) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, "name = ")
    stream.seek(0)
    answer = admin.post("/admin/studies", data={"csrf": csrf(admin), "study": (stream, "s.zip")})
    assert answer.status_code == 422
    assert said in answer.text


def test_no_zip_and_a_zip_bomb(admin: FlaskClient, app: Flask) -> None:
    data = {"csrf": csrf(admin), "study": (io.BytesIO(b"no zip"), "s.zip")}
    assert "expected a zip" in admin.post("/admin/studies", data=data).text
    app.config["STUDY_UPLOAD_BYTES"] = 100_000
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.png", bytes(3_000_000))
    stream.seek(0)
    data = {"csrf": csrf(admin), "study": (stream, "s.zip")}
    assert "too large when unpacked" in admin.post("/admin/studies", data=data).text
    data = {"csrf": csrf(admin), "study": (io.BytesIO(bytes(200_000)), "s.zip")}
    assert admin.post("/admin/studies", data=data).status_code == 413


def test_browsers_get_faults_as_pages(admin: FlaskClient, make_study: MakeStudy) -> None:
    make_study()
    html = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    answer = admin.get("/admin/studies/pilot/1/report.html", headers=html)
    assert (answer.status_code, answer.mimetype) == (409, "text/html")
    assert "hidden until it is closed" in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    script = admin.get("/admin/studies/pilot/1/report.html", headers={"Accept": "*/*"})
    assert script.mimetype == "application/problem+json"
    back = admin.get("/study/typo", headers=html | {"Referer": "http://localhost/admin/"})
    assert (back.status_code, 'href="http://localhost/admin/"' in back.text) == (404, True)
    away = admin.get("/study/typo", headers=html | {"Referer": "https://elsewhere.example/"})
    assert "elsewhere" not in away.text
