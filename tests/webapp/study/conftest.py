"""An app with a small open study made of real photos, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from huefield.study.reading import definition_from_json
from tests.postgres import binaries, create_database, private_cluster
from tests.study_photos import sources, write_study_folders
from webapp import create_app
from webapp.study.store import Study, StudyStore

MakeStudy = Callable[..., Study]


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve photos in the folders of `write_study_folders`."""
    return write_study_folders(tmp_path_factory.mktemp("study-photos"), sources(12))


def small_definition(**changes: Any) -> dict[str, Any]:
    """A study of two methods and twelve photos as a table; keywords replace members."""
    return {
        "name": "pilot",
        "title": "Which colours look real?",
        "contact": "lab@example.org",
        "bootstrap": 200,
        "datasets": {
            "Towns": {"truth": "truth", "methods": {"alpha": "strong", "beta": "pale"}},
        },
        "trials": {"count": 6, "practice": 1, "checks": 2, "repeats": 2},
    } | changes


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """A private PostgreSQL, see `tests.postgres`."""
    folder = binaries()
    if folder is None:
        pytest.skip("no PostgreSQL here; `make test` installs it, on Debian: postgresql")
    with private_cluster(folder) as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'studies.sqlite3'}"
    return create_database(request.getfixturevalue("cluster"), f"t{uuid4().hex}")


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The app on that database, without models: studies need none."""
    app = create_app(
        {
            "TESTING": True,
            "INSTANCE": tmp_path / "instance",
            "MODELS": tmp_path / "no-models",
            "DATABASE_URL": database_url,
            "STUDY_JOINS": 10_000,
        }
    )
    yield app
    app.extensions["huefield_database"].close()


@pytest.fixture
def store(app: Flask) -> StudyStore:
    store = app.extensions["huefield_studies"]
    assert isinstance(store, StudyStore)
    return store


@pytest.fixture
def make_study(store: StudyStore, folders: Path) -> MakeStudy:
    """Makes and opens `small_definition`; keywords replace members."""

    def make(**changes: Any) -> Study:
        definition = definition_from_json(small_definition(**changes))
        return store.open(store.create(definition, folders, no_models))

    return make


def no_models(source: object, photo: object) -> Any:
    """These studies colour by no model."""
    raise AssertionError(f"a model was asked for: {source}")


class Participant:
    """A person at the HTTP interface: consents, answers, and goes on."""

    def __init__(self, app: Flask, name: str = "pilot", **entry: str) -> None:
        self.client = app.test_client(use_cookies=False)
        self.name = name
        self.entry = entry
        self.token = ""
        self.state: dict[str, Any] = {}

    def config(self) -> dict[str, Any]:
        """What the page says of the study."""
        html = self.client.get(f"/study/{self.name}", query_string=self.entry).text
        found = re.search(r'data-config="([^"]*)"', html)
        assert found, html
        return dict(json.loads(unescape(found[1])))

    def join(self, **changes: Any) -> Any:
        """Consents; the answer."""
        body = {"consent": True, "consent_hash": self.config()["consentHash"]}
        body |= {"entry": self.entry, "width": 390, "height": 844, "pixel_ratio": 3}
        answer = self.post("join", body | {"pointer": "coarse"} | changes)
        if answer.status_code == 201:
            self.token = answer.json["token"]
            self.state = answer.json["state"]
        return answer

    def begin(self) -> Participant:
        """Consents and answers the screen check."""
        assert self.join().status_code == 201
        if self.state["phase"] == "screen":
            answer = self.post("screen", {"color_vision": "typical", "screen_steps": 8})
            self.state = answer.json
        return self

    def vote(self, choice: str = "left", **changes: Any) -> Any:
        """Answers the trial at hand; the answer."""
        answer = self.post("votes", self.ballot(choice) | changes)
        if answer.status_code == 200:
            self.state = answer.json["state"]
        return answer

    def ballot(self, choice: str = "left") -> dict[str, Any]:
        """A vote on the trial at hand, as a page sends it."""
        return {
            "trial": self.state["trial"]["key"],
            "choice": choice,
            "client_key": uuid4().hex,
            "response_ms": 1234.5,
            "width": 390,
            "height": 844,
            "pixel_ratio": 3,
            "focus_losses": 0,
            "hidden_ms": 0,
            "pauses": 0,
            "shows": 1,
            "input": "touch",
        }

    def finish(self, choice: str = "left") -> Participant:
        """Answers everything that is left."""
        while self.state["phase"] == "trial":
            assert self.vote(choice).status_code == 200
        return self

    def get(self, path: str) -> Any:
        return self.client.get(f"/study/{self.name}/{path}", headers=self.headers())

    def post(self, path: str, body: Any) -> Any:
        address = f"/study/{self.name}/{path}"
        return self.client.post(address, json=body, headers=self.headers())

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}
