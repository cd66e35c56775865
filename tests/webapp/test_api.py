from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from huefield.upsample import grid_shape

Send = Callable[..., Any]


def pixels(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"), np.float32)


def edits_for(photo: Any, color: str = "#c03028") -> dict[str, Any]:
    width, height = photo["size"]
    return {
        "version": 1,
        "size": [width, height],
        "strokes": [
            {
                "points": [[width * 0.3, height * 0.5], [width * 0.6, height * 0.5]],
                "radius": height / 8,
                "color": color,
            }
        ],
    }


def test_a_photo_is_described_and_can_be_asked_for_again(client: FlaskClient, send: Send) -> None:
    photo = send()
    assert photo["size"] == [240, 187]
    assert photo["name"] == "old_mill"
    assert photo["has_color"] is False
    assert all(side % 8 == 0 for side in photo["grid"])
    assert client.get(photo["url"]).get_json() == photo
    assert len(photo["id"]) >= 32


def test_size_and_grid_are_width_and_height(send: Send) -> None:
    stream = io.BytesIO()
    Image.linear_gradient("L").resize((300, 100)).save(stream, "PNG")
    photo = send(stream.getvalue(), "wide.png")
    assert photo["size"] == [300, 100]
    height, width = grid_shape(100, 300, area=1024, multiple=8)
    assert photo["grid"] == [width, height]
    assert width > 2 * height


def test_an_example_is_a_photo_too(client: FlaskClient) -> None:
    examples = client.get("/api/v1/examples").get_json()["examples"]
    assert len(examples) >= 6
    assert all(entry["credit"] and entry["licence"] for entry in examples)
    answer = client.post("/api/v1/photos", json={"example": examples[0]["name"]})
    assert answer.status_code == 201
    assert answer.headers["Location"] == answer.get_json()["url"]
    assert answer.get_json()["size"] == examples[0]["size"]
    thumbnail = client.get(examples[0]["thumbnail"])
    assert max(pixels(thumbnail.data).shape) <= 360


def test_samples_differ_and_keep_the_photos_lightness(client: FlaskClient, send: Send) -> None:
    photo = send()
    answer = client.post(photo["colorizations"], json={"samples": 3, "seed": 5})
    assert answer.status_code == 201
    body = answer.get_json()
    assert [sample["index"] for sample in body["samples"]] == [0, 1, 2]
    assert body["seconds"]["samples"] > 0
    previews = [pixels(client.get(sample["preview"]).data) for sample in body["samples"]]
    grey = pixels(client.get(photo["grey"]).data)
    for preview in previews:
        assert preview.shape == grey.shape == (187, 240, 3)
        assert np.abs(preview.mean(2) - grey.mean(2)).mean() < 25
        assert np.ptp(preview, axis=2).mean() > 3
    assert np.abs(previews[0] - previews[1]).mean() > 1
    assert np.ptp(grey, axis=2).max() <= 2


def test_the_same_wish_gives_the_same_answer(client: FlaskClient, send: Send) -> None:
    photo = send()
    first = client.post(photo["colorizations"], json={"samples": 2}).get_json()
    again = client.post(photo["colorizations"], json={"samples": 2, "seed": 0}).get_json()
    other = client.post(photo["colorizations"], json={"samples": 2, "seed": 1}).get_json()
    assert again == first
    assert other["id"] != first["id"]
    here = client.get(f"{photo['colorizations']}/{first['id']}").get_json()
    assert here == first


def test_every_sample_follows_a_stroke(client: FlaskClient, send: Send) -> None:
    photo = send()
    plain = client.post(photo["colorizations"], json={"samples": 3}).get_json()
    body = {"samples": 3, "edits": edits_for(photo)}
    painted = client.post(photo["colorizations"], json=body).get_json()
    height, width = 187, 240
    inside = np.s_[int(height * 0.48) : int(height * 0.52), int(width * 0.35) : int(width * 0.55)]
    for before, after in zip(plain["samples"], painted["samples"], strict=True):
        assert after["component"] == before["component"]
        red_before = pixels(client.get(before["preview"]).data)[inside]
        red_after = pixels(client.get(after["preview"]).data)[inside]
        redness = (red_after[..., 0] - red_after[..., 1]).mean()
        assert redness > 40
        assert np.abs(red_after - red_before).mean() > 5
        assert after["fit"] < 1


def test_condition_chooses_other_samples(client: FlaskClient, send: Send) -> None:
    photo = send()
    body = {"samples": 2, "edits": edits_for(photo), "condition": True}
    conditioned = client.post(photo["colorizations"], json=body).get_json()
    plain = client.post(photo["colorizations"], json={**body, "condition": False}).get_json()
    assert conditioned["condition"] is True
    assert conditioned["id"] != plain["id"]
    assert conditioned["samples"] != plain["samples"]


def test_edits_that_say_nothing_are_no_edits(client: FlaskClient, send: Send) -> None:
    photo = send()
    empty = {"version": 1, "size": photo["size"], "strokes": [], "ties": []}
    plain = client.post(photo["colorizations"], json={"samples": 1}).get_json()
    answer = client.post(photo["colorizations"], json={"samples": 1, "edits": empty})
    assert answer.get_json()["id"] == plain["id"]


@pytest.mark.parametrize(
    ("image_format", "kind"), [("png", "PNG"), ("jpg", "JPEG"), ("webp", "WEBP")]
)
def test_a_download_has_the_photos_size_and_a_name(
    client: FlaskClient, send: Send, image_format: str, kind: str
) -> None:
    photo = send()
    made = client.post(photo["colorizations"], json={"samples": 2}).get_json()
    answer = client.get(made["samples"][1]["download"], query_string={"format": image_format})
    assert answer.status_code == 200
    assert (
        answer.headers["Content-Disposition"] == f"attachment; filename=old_mill-2.{image_format}"
    )
    with Image.open(io.BytesIO(answer.data)) as image:
        assert image.format == kind
        assert image.size == (240, 187)
        assert "icc_profile" in image.info


def test_previews_come_at_screen_size_and_are_cached_privately(
    client: FlaskClient, send: Send, example_photos: dict[str, Any]
) -> None:
    photo = send(example_photos["boothbay"].read_bytes())
    made = client.post(photo["colorizations"], json={"samples": 1}).get_json()
    url = made["samples"][0]["preview"]
    answer = client.get(url, query_string={"side": 384})
    assert answer.mimetype == "image/webp"
    assert max(pixels(answer.data).shape) == 384
    assert answer.cache_control.private
    assert answer.cache_control.immutable
    again = client.get(
        url, query_string={"side": 384}, headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304
    assert again.data == b""
    other = client.get(
        url, query_string={"side": 512}, headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert other.status_code == 200


def test_maps_speak_of_the_grid(client: FlaskClient, send: Send) -> None:
    photo = send()
    width, height = photo["grid"]
    influence = client.get(photo["influence"], query_string={"x": 120, "y": 90}).get_json()
    assert influence["grid"] == photo["grid"]
    assert len(influence["listens"]) == len(influence["reaches"]) == width * height
    assert sum(influence["listens"]) == pytest.approx(1, abs=1e-2)
    assert influence["cell"] == (90 * height // 187) * width + 120 * width // 240
    uncertainty = client.get(photo["uncertainty"]).get_json()
    assert len(uncertainty["values"]) == width * height
    assert min(uncertainty["values"]) > 0
    assert len(uncertainty["helps"]) == width * height
    assert min(uncertainty["helps"]) > 0


def test_the_palette_names_likely_colours_first(client: FlaskClient, send: Send) -> None:
    photo = send()
    colors = client.get(photo["palette"], query_string={"x": 10, "y": 20}).get_json()["colors"]
    shares = [entry["share"] for entry in colors]
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1.001


def test_another_session_sees_nothing(app: Flask, client: FlaskClient, send: Send) -> None:
    photo = send()
    made = client.post(photo["colorizations"], json={"samples": 1}).get_json()
    stranger = app.test_client()
    sample = made["samples"][0]
    for url in (photo["url"], photo["grey"], sample["preview"], sample["download"]):
        assert stranger.get(url).status_code == 404
    assert stranger.delete(photo["url"]).status_code == 404
    assert stranger.post(photo["colorizations"], json={}).status_code == 404
    stranger.post("/api/v1/photos", json={"example": "mechanic"})
    assert stranger.get(photo["url"]).status_code == 404
    assert client.get(photo["url"]).status_code == 200


def test_a_deleted_photo_is_gone(client: FlaskClient, send: Send, app: Flask) -> None:
    photo = send()
    made = client.post(photo["colorizations"], json={"samples": 1}).get_json()
    assert client.get(made["samples"][0]["preview"]).status_code == 200
    assert client.delete(photo["url"]).status_code == 204
    for url in (photo["url"], photo["grey"], made["samples"][0]["preview"], photo["uncertainty"]):
        answer = client.get(url)
        assert answer.status_code == 404
        assert answer.get_json()["type"].endswith("photo-not-found")
    assert app.extensions["huefield_bench"].health().open_photos == 0


def test_another_worker_goes_on_where_one_stopped(
    make_app: Callable[..., Flask], client: FlaskClient, send: Send
) -> None:
    photo = send()
    body = {"samples": 2, "edits": edits_for(photo)}
    made = client.post(photo["colorizations"], json=body).get_json()
    before = client.get(made["samples"][1]["preview"]).data
    other = make_app().test_client()
    for cookie in (client.get_cookie("huefield"),):
        assert cookie is not None
        other.set_cookie("huefield", cookie.value)
    assert other.get(made["samples"][1]["preview"]).data == before
    assert other.post(photo["colorizations"], json=body).get_json() == made
    further = {"samples": 2, "edits": edits_for(photo, "#2040c0")}
    assert other.post(photo["colorizations"], json=further).status_code == 201


def test_the_edit_file_may_come_from_the_command_line(client: FlaskClient, send: Send) -> None:
    photo = send()
    edits = edits_for(photo)
    stroke = edits["strokes"][0]
    stroke["ab"] = [20.0, -30.0]
    del stroke["color"]
    edits["ties"] = [
        {"a": {"points": [[5, 5]], "radius": 5}, "b": {"points": [[200, 150]], "radius": 5}}
    ]
    answer = client.post(photo["colorizations"], json={"samples": 1, "edits": edits})
    assert answer.status_code == 201
    assert client.get(answer.get_json()["samples"][0]["preview"]).status_code == 200
