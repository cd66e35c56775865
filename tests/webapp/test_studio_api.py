"""What the studio page asks for beyond plain colourings: streams, picks, drafts, finishes."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from PIL import Image

Send = Callable[..., Any]
STREAM = {"Accept": "application/x-ndjson"}


def lines(client: FlaskClient, photo: Any, body: object) -> list[Any]:
    answer = client.post(photo["colorizations"], json=body, headers=STREAM)
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def field(entry: Any) -> np.ndarray:
    given = entry["field"]
    width, height = given["grid"]
    numbers = np.frombuffer(base64.b64decode(given["ab"]), "<i2").astype(np.float32)
    return numbers.reshape(height, width, 2) / given["steps"]


def image(client: FlaskClient, url: str, **query: object) -> Image.Image:
    answer = client.get(url, query_string=query)
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(answer.data))


def red(photo: Any) -> dict[str, Any]:
    width, height = photo["size"]
    points = [[width * 0.3, height * 0.5], [width * 0.6, height * 0.5]]
    return {"points": points, "radius": height / 8, "color": "#c03028"}


def test_samples_come_line_by_line_and_match_the_whole_answer(
    client: FlaskClient, send: Send
) -> None:
    photo = send()
    document = client.get("/api/v1/openapi.json").get_json()
    schema = {"$ref": "#/components/schemas/StreamLine", "components": document["components"]}
    found = lines(client, photo, {"samples": 4, "seed": 3})
    for line in found:
        Draft202012Validator(schema).validate(line)
    assert [next(iter(line)) for line in found] == ["sample"] * 4 + ["colorization"]
    whole = client.post(photo["colorizations"], json={"samples": 4, "seed": 3}).get_json()
    assert found[-1]["colorization"] == whole
    assert lines(client, photo, {"samples": 4, "seed": 3}) == found
    shown = image(client, whole["samples"][2]["preview"])
    assert np.ptp(np.asarray(shown), axis=2).mean() > 3
    assert np.abs(field(found[2]["sample"])).mean() > 1


def test_picks_name_samples_that_stay_the_same_in_any_company(
    client: FlaskClient, send: Send
) -> None:
    photo = send()
    plain = [line["sample"] for line in lines(client, photo, {"samples": 6})[:-1]]
    picks = [{"seed": 0, "index": 4}, {"seed": 0, "index": 0}, {"seed": 9, "index": 2}]
    mixed = [line["sample"] for line in lines(client, photo, {"picks": picks})[:-1]]
    assert mixed[0]["field"] == plain[4]["field"]
    assert mixed[1]["field"] == plain[0]["field"]
    assert mixed[2]["field"] not in [sample["field"] for sample in plain]
    assert mixed[0]["pick"] == {"seed": 0, "index": 4, "near": [], "wide": False}


def test_near_picks_begin_with_the_sample_and_stay_closer_than_others(
    client: FlaskClient, send: Send
) -> None:
    photo = send()
    plain = [field(line["sample"]) for line in lines(client, photo, {"samples": 6})[:-1]]
    way = [[0, 2]]
    picks = [{"seed": 5, "index": index, "near": way} for index in range(4)]
    near = [field(line["sample"]) for line in lines(client, photo, {"picks": picks})[:-1]]
    np.testing.assert_allclose(near[0], plain[2], atol=0.02)
    apart = [np.abs(other - plain[2]).mean() for other in near[1:]]
    others = [np.abs(plain[k] - plain[2]).mean() for k in (0, 1, 3, 4, 5)]
    assert min(apart) > 0.1
    assert np.mean(apart) < np.mean(others)
    further = [{"seed": 1, "index": 0, "near": [*way, [5, 3]]}]
    again = field(lines(client, photo, {"picks": further})[0]["sample"])
    np.testing.assert_allclose(again, near[3], atol=0.02)


def test_wide_picks_are_unlike_the_usual_ones_and_others_lie_near_them(
    client: FlaskClient, send: Send
) -> None:
    photo = send()

    def fields(picks: list[dict[str, object]]) -> np.ndarray:
        answer = lines(client, photo, {"picks": picks})[:-1]
        assert [line["sample"]["pick"]["wide"] for line in answer] == [
            pick.get("wide", False) for pick in picks
        ]
        return np.stack([field(line["sample"]) for line in answer])

    usual = fields([{"seed": 0, "index": index} for index in range(6)])
    wide = fields([{"seed": 3, "index": index, "wide": True} for index in range(5)])
    same = fields([{"seed": 3, "index": index} for index in range(1, 6)])
    apart = [
        np.abs(some[:, None] - usual[None]).mean((2, 3)).min(1).mean() for some in (wide, same)
    ]
    assert apart[0] > 1.2 * apart[1]
    near = fields([{"seed": 4, "index": 0, "near": [[3, 1]], "wide": True}])
    np.testing.assert_allclose(near[0], wide[1], atol=0.02)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"picks": [{"seed": 0, "index": 1, "wide": 1}]}, "picks[0].wide: expected true or false"),
        ({"picks": []}, "picks: expected a list of 1 to 12"),
        ({"picks": [{"seed": 0}]}, "picks[0]: expected an object"),
        ({"picks": [{"seed": 0, "index": 60}]}, "picks[0]: expected a seed"),
        ({"picks": [{"seed": 0, "index": 1, "near": [[0]]}]}, "picks[0].near[0]"),
        ({"picks": [{"seed": 0, "index": 1, "z": 1}]}, "picks[0]: unknown: z"),
        ({"picks": [{"seed": 0, "index": 1}], "seed": 2}, "either picks or samples"),
        ({"picks": [{"seed": 0, "index": 1}], "condition": True}, "condition: expected false"),
        ({"draft": 1}, "draft: expected true or false"),
    ],
)
def test_faulty_picks_are_named(client: FlaskClient, send: Send, body: object, words: str) -> None:
    answer = client.post(send()["colorizations"], json=body, headers=STREAM)
    assert answer.status_code == 422
    assert words in answer.get_json()["detail"]


def test_a_draft_shows_and_is_not_kept(client: FlaskClient, send: Send) -> None:
    photo = send()
    edits = {"version": 1, "size": photo["size"], "strokes": [red(photo)]}
    wish = {"picks": [{"seed": 0, "index": 1}], "edits": edits}
    found = lines(client, photo, {**wish, "draft": True})
    assert [next(iter(line)) for line in found] == ["sample"]
    kept = lines(client, photo, wish)
    assert kept[0]["sample"] == found[0]["sample"]
    assert "colorization" in kept[1]


def test_a_stroke_that_keeps_holds_what_was_there(client: FlaskClient, send: Send) -> None:
    photo = send()
    width, height = photo["size"]
    beside = {"points": [[width * 0.1, height * 0.5]], "radius": height / 8, "keep": True}
    before = {"points": [[width * 0.1, height * 0.5]], "radius": height / 8, "color": "#2040c0"}
    bounds = [width * 0.07, width * 0.13, height * 0.45, height * 0.55]
    grid_width, grid_height = photo["grid"]
    columns = slice(int(bounds[0] / width * grid_width), int(bounds[1] / width * grid_width) + 1)
    rows = slice(int(bounds[2] / height * grid_height), int(bounds[3] / height * grid_height) + 1)

    def there(*strokes: object) -> np.ndarray:
        edits = {"version": 1, "size": photo["size"], "strokes": list(strokes)}
        found = lines(client, photo, {"samples": 2, "edits": edits})
        return np.stack([field(line["sample"])[rows, columns] for line in found[:-1]])

    plain, spread, kept = there(), there(red(photo)), there(beside, red(photo))
    assert np.abs(kept - plain).mean() < 0.25 * np.abs(spread - plain).mean()
    painted = there(before)
    held = there(before, beside, red(photo))
    assert np.abs(held - painted).mean() < 0.05 * np.abs(painted - plain).mean()


def test_the_studios_notes_ride_along(client: FlaskClient, send: Send) -> None:
    photo = send()
    edits = {"version": 1, "size": photo["size"], "strokes": [red(photo)]}
    noted = {**edits, "studio": {"selected": 3}}
    assert lines(client, photo, {"edits": edits}) == lines(client, photo, {"edits": noted})
    answer = client.post(photo["colorizations"], json={"edits": {**edits, "studio": 5}})
    assert "studio: expected an object" in answer.get_json()["detail"]


def test_sliders_change_the_download_and_their_defaults_do_not(
    client: FlaskClient, send: Send
) -> None:
    photo = send()
    url = client.post(photo["colorizations"], json={"samples": 1}).get_json()["samples"][0]
    plain = np.asarray(image(client, url["download"]), np.float32)
    same = image(client, url["download"], saturation=1, warmth=0, strength=1)
    assert np.array_equal(plain, np.asarray(same, np.float32))
    grey = np.asarray(image(client, url["download"], strength=0), np.float32)
    assert np.ptp(grey, axis=2).max() <= 2
    pale = np.asarray(image(client, url["download"], saturation=0.5), np.float32)
    assert 0 < np.ptp(pale, axis=2).mean() < 0.8 * np.ptp(plain, axis=2).mean()
    warm = np.asarray(image(client, url["download"], warmth=1), np.float32)
    assert (warm[..., 0] - warm[..., 2]).mean() > (plain[..., 0] - plain[..., 2]).mean() + 5
    for query in ({"saturation": 3}, {"warmth": "x"}, {"strength": "nan"}, {"mark": 2}):
        assert client.get(url["download"], query_string=query).status_code == 422


def test_the_mark_is_small_and_in_the_corner(client: FlaskClient, send: Send) -> None:
    photo = send()
    url = client.post(photo["colorizations"], json={"samples": 1}).get_json()["samples"][0]
    plain = np.asarray(image(client, url["download"]), np.int16)
    marked = np.asarray(image(client, url["download"], mark=1), np.int16)
    rows, columns = np.nonzero(np.abs(plain - marked).max(axis=2) > 8)
    assert rows.size > 50
    assert rows.min() > 0.85 * plain.shape[0]
    assert columns.min() > 0.5 * plain.shape[1]


def test_a_layer_is_clear_where_there_is_no_colour(client: FlaskClient, send: Send) -> None:
    photo = send()
    url = client.post(photo["colorizations"], json={"samples": 1}).get_json()["samples"][0]
    layer = image(client, url["download"], layer=1)
    assert layer.mode == "RGBA"
    plain = np.asarray(image(client, url["download"]))
    pixels = np.asarray(layer)
    assert np.array_equal(pixels[..., :3], plain)
    spread = np.ptp(plain.astype(int), axis=2)
    assert pixels[..., 3][spread > 60].min() == 255
    clear = np.asarray(image(client, url["download"], layer=1, strength=0))
    assert clear[..., 3].max() < 60
    refused = client.get(url["download"], query_string={"layer": 1, "format": "jpg"})
    assert refused.status_code == 422


def test_the_unary_and_the_original_can_be_seen(
    client: FlaskClient, send: Send, color_photos: dict[str, Any]
) -> None:
    photo = send(next(iter(color_photos.values())).read_bytes(), "colour.jpg")
    assert photo["has_color"]
    original = image(client, photo["original"], side=256)
    assert max(original.size) == 256
    assert np.ptp(np.asarray(original).astype(int), axis=2).mean() > 5
    answer = lines(client, photo, {"samples": 1})
    sample = answer[-1]["colorization"]["samples"][0]
    unary = client.get(sample["unary"])
    tag = {"If-None-Match": unary.headers["ETag"]}
    assert client.get(sample["unary"], headers=tag).status_code == 304
    apart = np.abs(field({"field": unary.get_json()}) - field(answer[0]["sample"])).mean()
    assert 0.05 < apart < 20


def test_strokes_lower_the_uncertainty(client: FlaskClient, send: Send) -> None:
    photo = send()
    edits = {"version": 1, "size": photo["size"], "strokes": [red(photo)]}
    made = client.post(photo["colorizations"], json={"samples": 1, "edits": edits}).get_json()
    plain = client.get(photo["uncertainty"]).get_json()["values"]
    query = {"colorization": made["id"]}
    edited = client.get(photo["uncertainty"], query_string=query).get_json()["values"]
    assert min(edited) < 0.5 * min(plain)
    assert max(np.subtract(edited, plain)) < 1e-3
