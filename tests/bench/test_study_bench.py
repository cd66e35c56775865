from __future__ import annotations

import html
import json
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from huefield.study.reading import definition_from_json
from tests.bench.study_load import Load, run_load
from tests.postgres import binaries, create_database, private_cluster
from tests.study_photos import sources, write_study_folders
from webapp.database import open_database
from webapp.study.store import StudyStore

pytestmark = pytest.mark.bench
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, int, str]]:
    """A study served by gunicorn: kind of database, port, hash of the consent."""
    if request.param == "sqlite":
        yield from _serve("sqlite", f"sqlite:///{tmp_path / 's.sqlite3'}", tmp_path)
        return
    folder = binaries()
    if folder is None:
        pytest.skip("no PostgreSQL here")
    with private_cluster(folder, durable=True) as address:
        yield from _serve("postgresql", create_database(address, f"b{uuid4().hex}"), tmp_path)


def _serve(kind: str, url: str, tmp_path: Path) -> Iterator[tuple[str, int, str]]:
    database = open_database(url)
    store = StudyStore(database, tmp_path / "instance" / "studies")
    folders = write_study_folders(tmp_path / "photos", sources(40))
    table = {
        "name": "pilot",
        "title": "T",
        "contact": "c",
        "datasets": {"Towns": {"truth": "truth", "methods": {"a": "strong", "b": "pale"}}},
        "trials": {"count": 8, "practice": 1, "checks": 2, "repeats": 1},
    }
    store.open(store.create(definition_from_json(table), folders, no_models))
    database.close()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tests.bench.study_gunicorn"]
    process = subprocess.Popen([*command, str(tmp_path / "instance"), url, str(port)], cwd=ROOT)
    try:
        yield kind, port, _consent_hash(port)
    finally:
        process.terminate()
        process.wait(20)


def no_models(source: object, photo: object) -> Any:
    raise AssertionError(source)


def _consent_hash(port: int) -> str:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/study/pilot") as answer:
                text = answer.read().decode()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
            continue
        found = re.search(r'data-config="([^"]*)"', text)
        assert found
        return str(json.loads(html.unescape(found[1]))["consentHash"])


def _say(kind: str, what: str, load: Load, seconds: float) -> float:
    p50, p95, p99 = (1000 * float(np.quantile(load.votes, q)) for q in (0.5, 0.95, 0.99))
    picture = 1000 * float(np.quantile(load.pictures, 0.95))
    print(
        f"\n{kind}, {what}: {len(load.votes)} votes in {seconds:.1f} s "
        f"({len(load.votes) / seconds:.0f}/s); a vote p50 {p50:.0f}, p95 {p95:.0f}, "
        f"p99 {p99:.0f} ms; a picture p95 {picture:.0f} ms"
    )
    return p95


def test_300_participants_at_once(server: tuple[str, int, str]) -> None:
    kind, port, consent = server
    start = time.perf_counter()
    load = run_load(port, consent, 300, (2.0, 5.0))
    p95 = _say(kind, "300 people who look 2 to 5 s", load, time.perf_counter() - start)
    assert load.faults == []
    assert len(load.votes) == 300 * 12
    assert p95 <= 150


def test_throughput(server: tuple[str, int, str]) -> None:
    kind, port, consent = server
    start = time.perf_counter()
    load = run_load(port, consent, 60, (0.0, 0.0))
    _say(kind, "60 people who never rest", load, time.perf_counter() - start)
    assert load.faults == []
    assert len(load.votes) == 60 * 12
