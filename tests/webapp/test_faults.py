from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from webapp.workbench import Workbench

Send = Callable[..., Any]
MakeApp = Callable[..., Flask]


def problem(answer: TestResponse, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    body = answer.get_json()
    assert body["status"] == status
    assert body["type"].startswith("urn:huefield:problem:")
    assert body["title"]
    assert body["detail"]
    return dict(body)


def test_what_flask_refuses_is_a_problem_too(client: FlaskClient) -> None:
    problem(client.get("/nowhere"), 404)
    problem(client.get("/api/v1/nowhere"), 404)
    refused = client.put("/api/v1/photos")
    problem(refused, 405)
    assert "POST" in refused.headers["Allow"]
    problem(client.post("/api/v1/photos", data=b"x", content_type="text/plain"), 415)


def test_an_unexpected_error_says_nothing_of_the_inside(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(TESTING=False)

    def fail(bench: Workbench) -> None:
        raise RuntimeError("secret path /home/anna")

    monkeypatch.setattr(Workbench, "default_model", fail)
    body = problem(app.test_client().get("/api/v1/models"), 500)
    assert "anna" not in str(body)


def test_a_request_that_is_too_large_is_refused(make_app: MakeApp, small_photo: bytes) -> None:
    app = make_app(PHOTO_MAX_BYTES=3000)
    data = {"photo": (io.BytesIO(bytes(200_000)), "big.jpg")}
    problem(app.test_client().post("/api/v1/photos", data=data), 413)
    data = {"photo": (io.BytesIO(small_photo), "mill.jpg")}
    problem(app.test_client().post("/api/v1/photos", data=data), 422)


def test_json_has_a_limit_of_its_own(client: FlaskClient, send: Send) -> None:
    photo = send()
    body = b'{"model": "' + b"x" * 5_000_000 + b'"}'
    answer = client.post(photo["colorizations"], data=body, content_type="application/json")
    problem(answer, 413)


@pytest.mark.parametrize("data", [b"", b"no photo", b"\xff\xd8\xff\xe0broken", b"GIF89a"])
def test_what_is_no_photo_is_refused_in_one_line(client: FlaskClient, data: bytes) -> None:
    answer = client.post("/api/v1/photos", data={"photo": (io.BytesIO(data), "x.jpg")})
    assert "\n" not in problem(answer, 422)["detail"]


def test_a_photo_with_too_many_pixels_is_refused(make_app: MakeApp, small_photo: bytes) -> None:
    app = make_app(PHOTO_MAX_PIXELS=1000)
    data = {"photo": (io.BytesIO(small_photo), "mill.jpg")}
    problem(app.test_client().post("/api/v1/photos", data=data), 422)


def test_a_form_without_a_photo_and_an_unknown_example_are_refused(client: FlaskClient) -> None:
    answer = client.post("/api/v1/photos", data={"picture": (io.BytesIO(b"x"), "x.jpg")})
    problem(answer, 400)
    problem(client.post("/api/v1/photos", json={"example": "../secret"}), 404)
    problem(client.post("/api/v1/photos", json={}), 404)
    problem(client.get("/api/v1/examples/nothing/thumbnail"), 404)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ([], 400, "JSON object"),
        ({"samples": 0}, 422, "samples"),
        ({"samples": 13}, 422, "samples"),
        ({"samples": "6"}, 422, "samples"),
        ({"samples": True}, 422, "samples"),
        ({"seed": -1}, 422, "seed"),
        ({"seed": 1.5}, 422, "seed"),
        ({"condition": 1}, 422, "condition"),
        ({"model": 3}, 422, "model"),
        ({"model": "../tiny"}, 422, "not installed"),
        ({"colour": "red"}, 422, "colour"),
        ({"edits": []}, 422, "edits"),
        ({"edits": {"version": 1, "size": [10, 10]}}, 422, "10 × 10"),
        ({"edits": {"version": 2, "size": [240, 187]}}, 422, "version"),
        (
            {"edits": {"version": 1, "size": [240, 187], "strokes": [{"points": [[1]]}]}},
            422,
            "strokes[0]",
        ),
    ],
)
def test_a_faulty_wish_is_refused_with_its_member_named(
    client: FlaskClient, send: Send, body: object, status: int, words: str
) -> None:
    photo = send()
    answer = client.post(photo["colorizations"], json=body)
    assert words in problem(answer, status)["detail"]


def test_json_that_is_none_is_refused(client: FlaskClient, send: Send) -> None:
    photo = send()
    for data in (b"{", b'{"seed": NaN}', b"[" * 100_000):
        answer = client.post(photo["colorizations"], data=data, content_type="application/json")
        assert answer.status_code in (400, 422)
        problem(answer, answer.status_code)
    problem(client.post(photo["colorizations"], data=b"{}", content_type="text/plain"), 415)


def test_faulty_queries_are_refused(client: FlaskClient, send: Send) -> None:
    photo = send()
    made = client.post(photo["colorizations"], json={"samples": 1}).get_json()
    sample = made["samples"][0]
    problem(client.get(sample["preview"] + "?side=9999"), 422)
    problem(client.get(photo["grey"] + "?side=-1"), 422)
    problem(client.get(sample["download"] + "?format=exe"), 422)
    for query in ("", "?x=1", "?x=1&y=two", "?x=nan&y=1", "?x=1&y=1e9", "?x=-1&y=1"):
        problem(client.get(photo["influence"] + query), 422)
        problem(client.get(photo["palette"] + query), 422)
    problem(client.get(photo["uncertainty"] + "?model=none"), 422)
    problem(client.get(sample["preview"].replace("samples/0", "samples/7")), 404)
    problem(client.get(f"{photo['colorizations']}/{'0' * 32}"), 404)
    problem(client.get(f"{photo['colorizations']}/photo"), 404)


def test_without_models_the_page_comes_and_colouring_says_why(
    make_app: MakeApp, tmp_path: Path, small_photo: bytes
) -> None:
    client = make_app(MODELS=tmp_path / "none").test_client()
    assert client.get("/").status_code == 200
    assert client.get("/api/v1/models").get_json() == {"models": []}
    answer = client.post("/api/v1/photos", data={"photo": (io.BytesIO(small_photo), "a.jpg")})
    assert answer.status_code == 201
    problem(client.post(answer.get_json()["colorizations"], json={}), 503)
    health = client.get("/healthz")
    assert health.status_code == 503
    assert health.get_json()["problem"] == "no model is installed"


def test_a_required_gpu_that_is_missing_is_said(make_app: MakeApp, small_photo: bytes) -> None:
    app = make_app(REQUIRE_GPU=True, PROVIDER="auto")
    client = app.test_client()
    if Path("/dev/nvidia0").exists():
        pytest.skip("this machine has a GPU, so none is missing")
    made = client.post("/api/v1/photos", data={"photo": (io.BytesIO(small_photo), "a.jpg")})
    body = problem(client.post(made.get_json()["colorizations"], json={}), 503)
    assert "GPU" in body["detail"]
    assert client.get("/healthz").status_code == 503
