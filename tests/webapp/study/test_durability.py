"""A server killed again and again under load: what it confirmed is there, once."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from tests.webapp.study.conftest import MakeStudy, Participant
from webapp.database.tables import CELL, TRIAL, VOTE

KILLS, THREADS, EACH = 20, 12, 5
ROOT = Path(__file__).resolve().parents[3]


class Server:
    """The server process of `tests.study_server`; `child` is who serves at the moment."""

    def __init__(self, instance: Path, url: str) -> None:
        command = [sys.executable, "-W", "ignore", "-m", "tests.study_server", str(instance), url]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.child = 0
        self._follower = threading.Thread(target=self._follow, daemon=True)
        self._follower.start()

    def _follow(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.child = int(line)

    def kill(self) -> None:
        """SIGKILL to who serves; returns once another one does."""
        before = self.child
        os.kill(before, signal.SIGKILL)
        while self.child == before:
            time.sleep(0.005)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        os.kill(self.child, signal.SIGKILL)
        self._follower.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def server(app: Flask, database_url: str) -> Iterator[Server]:
    server = Server(Path(app.instance_path), database_url)
    yield server
    server.stop()


class RemotePerson:
    """Takes part over HTTP and sends everything again until it is confirmed."""

    def __init__(self, port: int, consent_hash: str, seed: int) -> None:
        self._port = port
        self._consent_hash = consent_hash
        self._rng = random.Random(seed)
        self._token = ""
        self._id = f"person{seed:06d}"
        self.confirmed: dict[str, tuple[str, str]] = {}
        self.repeated = 0

    def take_part(self) -> None:
        ids = {"PROLIFIC_PID": self._id, "STUDY_ID": "studystudy", "SESSION_ID": self._id}
        device = {"width": 390, "height": 844, "pixel_ratio": 2, "pointer": "fine"}
        consent = {"consent": True, "consent_hash": self._consent_hash, "entry": ids} | device
        joined = self._send("join", consent)
        self._token = joined["token"]
        state = self._send("screen", {"color_vision": "typical", "screen_steps": 8})
        while state["phase"] == "trial":
            vote = {
                "trial": state["trial"]["key"],
                "choice": self._rng.choice(["left", "right"]),
                "client_key": uuid4().hex,
                "response_ms": 900,
                "width": 390,
                "height": 844,
                "pixel_ratio": 2,
                "focus_losses": 0,
                "hidden_ms": 0,
                "pauses": 0,
                "shows": 1,
                "input": "mouse",
            }
            answer = self._send("votes", vote)
            assert answer["stored"] is True
            self.confirmed[vote["trial"]] = (vote["client_key"], vote["choice"])
            state = answer["state"]

    def _send(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
            try:
                headers = {"Content-Type": "application/json"}
                if self._token:
                    headers["Authorization"] = f"Bearer {self._token}"
                connection.request("POST", f"/study/pilot/{path}", json.dumps(body), headers)
                answer = connection.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException):
                self.repeated += 1
                time.sleep(0.02)
                continue
            finally:
                connection.close()
            assert answer.status in (200, 201), content
            return dict(json.loads(content))
        raise TimeoutError(path)


@pytest.mark.timeout(180)
def test_confirmed_votes_survive_sigkill(app: Flask, make_study: MakeStudy, server: Server) -> None:
    make_study(
        recruitment={"open_link": False, "prolific": True, "prolific_code": "C0DE"},
        trials={"count": 8, "practice": 1, "checks": 2, "repeats": 2},
    )
    consent = Participant(app).config()["consentHash"]
    people = [RemotePerson(server.port, consent, seed) for seed in range(THREADS * EACH)]
    rng = random.Random(1)
    with ThreadPoolExecutor(THREADS) as pool:
        running = [pool.submit(person.take_part) for person in people]
        kills = seen = 0
        while kills < KILLS and not all(task.done() for task in running):
            # Each kill falls among votes: some were confirmed since the one before.
            if (confirmed := sum(len(person.confirmed) for person in people)) == seen:
                time.sleep(0.005)
                continue
            time.sleep(rng.uniform(0.0, 0.25))
            server.kill()
            kills, seen = kills + 1, confirmed
        for task in running:
            task.result()
    assert kills == KILLS, "the load has to outlast the kills"
    assert sum(person.repeated for person in people) >= KILLS
    confirmed_votes = {key: vote for person in people for key, vote in person.confirmed.items()}
    assert len(confirmed_votes) == len(people) * 13
    with app.extensions["huefield_database"].read() as connection:
        rows = connection.execute(
            select(TRIAL.c.key, VOTE.c.client_key, VOTE.c.choice, TRIAL.c.kind, TRIAL.c.photo).join(
                TRIAL, VOTE.c.trial_id == TRIAL.c.id
            )
        ).all()
        planned = {row.planned for row in connection.execute(select(CELL))}
    assert len(rows) == len(confirmed_votes), "none is missing and none is there twice"
    assert {row.key: (row.client_key, row.choice) for row in rows} == confirmed_votes
    filled = Counter(row.photo for row in rows if row.kind == "trial")
    assert len(filled) == 12
    assert max(filled.values()) - min(filled.values()) <= 1
    assert planned == set(filled.values())
