"""Earlier methods over HTTP: what is on offer, samples of each kind, refusals, bounds."""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from PIL import Image

from huefield.baselines import load_baseline
from huefield.photo import read_photo
from huefield.strokes import parse_edits
from train.baselines import interactive
from webapp import methods as methods_module

Send = Callable[..., Any]
SHIPPED = ("cgan", "vae_mdn", "pic")


@pytest.fixture(scope="session")
def models_root(
    models_root: Path, baseline_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Our tiny model, three earlier methods beside it, and one whose note is broken."""
    root = tmp_path_factory.mktemp("webapp-methods") / "models"
    shutil.copytree(models_root, root)
    for name in SHIPPED:
        folder = shutil.copytree(baseline_models / name, root / f"faces-{name}")
        note = json.loads((folder / "model.json").read_text())
        told = {"name": f"faces-{name}", "description": "Untrained, for tests"}
        (folder / "model.json").write_text(json.dumps(note | told))
    broken = shutil.copytree(baseline_models / "cgan", root / "broken")
    (broken / "model.json").write_text(json.dumps({"method": "cgan", "name": "broken"}))
    return root


def field(entry: Any) -> np.ndarray:
    given = entry["field"]
    width, height = given["grid"]
    numbers = np.frombuffer(base64.b64decode(given["ab"]), "<i2").astype(np.float32)
    return numbers.reshape(height, width, 2) / given["steps"]


def edits_for(photo: Any) -> dict[str, Any]:
    width, height = photo["size"]
    points = [[width * 0.3, height * 0.5], [width * 0.6, height * 0.5]]
    stroke = {"points": points, "radius": height / 8, "color": "#c03028"}
    return {"version": 1, "size": photo["size"], "strokes": [stroke]}


def compare(client: FlaskClient, photo: Any, **wish: object) -> Any:
    answer = client.post(photo["comparisons"], json=wish)
    assert answer.status_code == 201, answer.text
    return answer.get_json()


def test_the_listing_tells_methods_from_models(client: FlaskClient) -> None:
    listed = client.get("/api/v1/methods").get_json()["methods"]
    assert [(entry["name"], entry["title"], entry["kind"]) for entry in listed] == [
        ("faces-cgan", "c-GAN", "samples"),
        ("faces-pic", "PIC", "samples"),
        ("faces-vae_mdn", "VAE-MDN", "samples"),
        ("levin", "Levin 2004", "strokes"),
        ("barron", "Barron & Poole 2016", "strokes"),
    ]
    assert listed[0]["description"] == "Untrained, for tests"
    assert all(entry["source"] and entry["seconds"] is None for entry in listed)
    models = client.get("/api/v1/models").get_json()["models"]
    assert [entry["name"] for entry in models] == ["tiny"]
    assert client.get("/healthz").get_json()["models"] == ["tiny"]


@pytest.mark.parametrize("name", [f"faces-{name}" for name in SHIPPED])
def test_samples_are_those_of_the_method(
    client: FlaskClient, send: Send, models_root: Path, small_photo: bytes, name: str
) -> None:
    photo = send()
    made = compare(client, photo, method=name, samples=3, seed=4)
    direct = load_baseline(models_root / name, threads=1).samples(read_photo(small_photo), 3, 4)
    assert [entry["index"] for entry in made["samples"]] == [0, 1, 2]
    for entry, wanted in zip(made["samples"], direct, strict=True):
        np.testing.assert_allclose(field(entry), wanted, atol=0.01)
    assert made["seconds"] > 0
    seconds = {e["name"]: e["seconds"] for e in client.get("/api/v1/methods").get_json()["methods"]}
    assert seconds.pop(name) == made["seconds"]
    assert set(seconds.values()) == {None}


def test_an_answer_is_kept_and_its_pictures_differ_from_ours(
    client: FlaskClient, send: Send, app: Flask
) -> None:
    photo = send()
    made = compare(client, photo, method="faces-cgan")
    assert len(made["samples"]) == 6
    assert compare(client, photo, method="faces-cgan", samples=6, seed=0) == made
    address = f"{photo['comparisons']}/{made['id']}"
    assert client.get(address).get_json() == made
    other = compare(client, photo, method="faces-cgan", seed=1)
    assert other["samples"][0]["field"] != made["samples"][0]["field"]

    def picture(url: str) -> np.ndarray:
        answer = client.get(url, query_string={"side": 256})
        assert answer.status_code == 200, answer.text
        return np.asarray(Image.open(io.BytesIO(answer.data)), np.float32)

    ours = client.post(photo["colorizations"], json={"samples": 1}).get_json()["samples"][0]
    theirs = [picture(entry["preview"]) for entry in made["samples"][:2]]
    assert theirs[0].shape == picture(ours["preview"]).shape
    assert np.ptp(theirs[0], axis=2).mean() > 3
    assert np.abs(theirs[0] - theirs[1]).mean() > 0.5
    assert np.abs(theirs[0] - picture(ours["preview"])).mean() > 0.5

    # Either kind of answer is found under its own address alone.
    assert client.get(f"{photo['colorizations']}/{made['id']}").status_code == 404
    mine = client.post(photo["colorizations"], json={"samples": 1}).get_json()["id"]
    assert client.get(f"{photo['comparisons']}/{mine}").status_code == 404
    assert client.get(f"{address}/samples/6/preview").status_code == 404
    stranger = app.test_client()
    for url in (address, made["samples"][0]["preview"]):
        assert stranger.get(url).status_code == 404
    refused = stranger.post(photo["comparisons"], json={"method": "faces-cgan"})
    assert refused.get_json()["type"].endswith("photo-not-found")


@pytest.mark.parametrize("name", ["levin", "barron"])
def test_stroke_methods_follow_the_edits(
    client: FlaskClient, send: Send, small_photo: bytes, name: str
) -> None:
    photo = send()
    edits = edits_for(photo)
    made = compare(client, photo, method=name, edits=edits)
    assert len(made["samples"]) == 1
    found = field(made["samples"][0])
    direct = interactive.open_method(name).recolor(read_photo(small_photo), parse_edits(edits))
    assert np.abs(found.mean((0, 1)) - direct.mean((0, 1))).max() < 0.5
    height, width = found.shape[:2]
    inside = found[height // 2, int(0.45 * width)]
    np.testing.assert_allclose(
        inside, direct[direct.shape[0] // 2, int(0.45 * direct.shape[1])], 0.1
    )
    other = {**edits, "strokes": [{**edits["strokes"][0], "color": "#2040c0"}]}
    blue = field(compare(client, photo, method=name, edits=other)["samples"][0])
    assert np.abs(blue - found).mean() > 5


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({}, "method: expected a name"),
        ({"method": "faces"}, "'faces' is not on offer; on offer: faces-cgan, faces-pic"),
        ({"method": "faces-cgan", "samples": 13}, "samples: expected a whole number from 1 to 12"),
        ({"method": "faces-cgan", "seed": -1}, "seed: expected a whole number"),
        ({"method": "faces-cgan", "colour": 1}, "colour: unknown; known are edits, method"),
        ({"method": "faces-cgan", "edits": True}, "edits: expected an edit file"),
        ({"method": "faces-cgan", "edits": "painted"}, "edits: c-GAN follows no strokes"),
        ({"method": "levin"}, "edits: Levin 2004 spreads strokes, and none were given"),
        ({"method": "levin", "edits": "painted", "samples": 2}, "samples: Levin 2004 has one"),
        ({"method": "levin", "edits": "kept"}, "none of the 1 gives a colour"),
    ],
)
def test_wishes_that_cannot_be_met_are_named(
    client: FlaskClient, send: Send, wish: dict[str, Any], words: str
) -> None:
    photo = send()
    edits = edits_for(photo)
    if wish.get("edits") == "kept":
        stroke = edits["strokes"][0]
        edits = {**edits, "strokes": [{**stroke, "strength": 0.0}]}
    if wish.get("edits") in ("painted", "kept"):
        wish = {**wish, "edits": edits}
    answer = client.post(photo["comparisons"], json=wish)
    assert answer.status_code == 422, answer.text
    assert words in answer.get_json()["detail"]


def test_broken_folders_are_named_and_stop_nothing(
    make_app: Callable[..., Flask],
    models_root: Path,
    small_photo: bytes,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    root = tmp_path / "models"
    shutil.copytree(models_root, root)
    (root / "faces-cgan" / "generator.onnx").write_bytes(b"no graph")
    client = make_app(MODELS=root).test_client()
    photo = client.post(
        "/api/v1/photos", data={"photo": (io.BytesIO(small_photo), "mill.jpg")}
    ).get_json()
    for name, reason in (("broken", "key 'format': expected 1"), ("faces-cgan", "SHA-256 differs")):
        caplog.clear()
        answer = client.post(photo["comparisons"], json={"method": name})
        assert answer.status_code == 503
        assert answer.get_json()["type"].endswith("method-unavailable")
        assert f"The files of {name} are incomplete" in answer.get_json()["detail"]
        assert str(root) not in answer.text
        assert reason in caplog.text
    assert client.get("/healthz").status_code == 200


def test_only_so_many_run_at_once(
    client: FlaskClient, app: Flask, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = send()
    running, go_on = threading.Barrier(methods_module.MOST_IN_FLIGHT + 1), threading.Event()

    def slow(self: object, photo: object, n: int, seed: int) -> np.ndarray:
        running.wait(30)
        go_on.wait(30)
        return np.zeros((n, 8, 8, 2), np.float32)

    monkeypatch.setattr("huefield.baselines.Baseline.samples", slow)
    methods = app.extensions["huefield_comparisons"].methods
    wanted = methods_module.ComparisonRequest("faces-cgan", 1, 0, None)
    threads = [
        threading.Thread(target=methods.fields, args=(None, wanted))
        for _ in range(methods_module.MOST_IN_FLIGHT)
    ]
    for thread in threads:
        thread.start()
    running.wait(30)
    answer = client.post(photo["comparisons"], json={"method": "faces-cgan"})
    assert answer.status_code == 503
    assert answer.get_json()["type"].endswith("methods-busy")
    assert answer.headers["Retry-After"] == "5"
    go_on.set()
    for thread in threads:
        thread.join()
    monkeypatch.undo()
    compare(client, photo, method="faces-cgan", samples=1)


def test_loaded_methods_are_held_under_a_bound(
    models_root: Path, small_photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("faces-cgan", "faces-vae_mdn")
    sizes = [sum(p.stat().st_size for p in (models_root / n).glob("*.onnx")) for n in names]
    photo = read_photo(small_photo)
    loads: list[str] = []

    def counted(path: Path, *, threads: int) -> Any:
        loads.append(path.name)
        return load_baseline(path, threads=threads)

    def loaded(bound: int) -> list[str]:
        loads.clear()
        monkeypatch.setattr(methods_module, "CACHE_BYTES", bound)
        methods = methods_module.Methods(models_root)
        for name in (names[0], names[0], names[1], names[0]):
            methods.fields(photo, methods_module.ComparisonRequest(name, 1, 0, None))
        return loads

    monkeypatch.setattr(methods_module, "load_baseline", counted)
    assert loaded(sum(sizes)) == [*names]
    assert loaded(max(sizes)) == [*names, names[0]]
    assert loaded(min(sizes) - 1) == [names[0], *names, names[0]]


def test_answers_match_the_document(client: FlaskClient, send: Send) -> None:
    photo = send()
    document = client.get("/api/v1/openapi.json").get_json()

    def check(name: str, body: object) -> None:
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        Draft202012Validator(schema).validate(body)

    check("Methods", client.get("/api/v1/methods").get_json())
    wish = {"method": "barron", "edits": edits_for(photo)}
    check("ComparisonRequest", wish)
    check("Comparison", compare(client, photo, **wish))
    check("Comparison", compare(client, photo, method="faces-vae_mdn", samples=1))


def test_serving_needs_no_torch() -> None:
    code = (
        "import sys, webapp; assert 'webapp.methods' in sys.modules and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
