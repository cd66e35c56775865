from __future__ import annotations

import io
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

Document = dict[str, Any]


@pytest.fixture
def document(client: FlaskClient) -> Document:
    return dict(client.get("/api/v1/openapi.json").get_json())


def validator(document: Document, schema: Document) -> Draft202012Validator:
    whole = {**schema, "components": document["components"]}
    return Draft202012Validator(whole)


def check(document: Document, path: str, method: str, status: int, body: object) -> None:
    operation = document["paths"][path][method]
    content = operation["responses"][str(status)]["content"]
    validator(document, content["application/json"]["schema"]).validate(body)


def test_routes_and_document_agree(app: Flask, document: Document) -> None:
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower(), rule.endpoint)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/v1")
    }
    described = {
        (path, method, f"api.{operation['operationId']}")
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
    assert described == routes


def test_path_parameters_are_described(document: Document) -> None:
    for path, item in document["paths"].items():
        for operation in item.values():
            named = {entry["name"] for entry in operation["parameters"] if entry["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))


def test_the_document_is_sound(document: Document) -> None:
    assert document["openapi"].startswith("3.1")
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)

    def references(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [ref for value in node.values() for ref in references(value)]
        if isinstance(node, list):
            return [ref for value in node for ref in references(value)]
        return []

    for reference in references(document):
        node: Any = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_real_answers_match_their_schemas(
    client: FlaskClient, document: Document, small_photo: bytes
) -> None:
    for name in ("models", "methods", "examples"):
        path = f"/api/v1/{name}"
        check(document, path, "get", 200, client.get(path).get_json())
    answer = client.post("/api/v1/photos", data={"photo": (io.BytesIO(small_photo), "mill.jpg")})
    photo = answer.get_json()
    check(document, "/api/v1/photos", "post", 201, photo)
    one = "/api/v1/photos/{photo_id}"
    check(document, one, "get", 200, client.get(photo["url"]).get_json())
    wish = {
        "model": "tiny",
        "samples": 2,
        "seed": 3,
        "edits": {
            "version": 1,
            "size": photo["size"],
            "strokes": [{"points": [[20, 20], [60, 40]], "radius": 9, "color": "#c03028"}],
            "ties": [
                {"a": {"points": [[5, 5]], "radius": 5}, "b": {"points": [[99, 9]], "radius": 5}}
            ],
        },
    }
    request = document["paths"][one + "/colorizations"]["post"]["requestBody"]["content"]
    validator(document, request["application/json"]["schema"]).validate(wish)
    for body in (wish, {}):
        made = client.post(photo["colorizations"], json=body).get_json()
        check(document, one + "/colorizations", "post", 201, made)
        again = client.get(f"{photo['colorizations']}/{made['id']}").get_json()
        check(document, one + "/colorizations/{key}", "get", 200, again)
    for name in ("influence", "palette", "uncertainty"):
        body = client.get(photo[name], query_string={"x": 30, "y": 40}).get_json()
        check(document, f"{one}/{name}", "get", 200, body)
    fault = client.post(photo["colorizations"], json={"samples": 99}).get_json()
    problem = document["components"]["responses"]["Problem"]["content"]
    validator(document, problem["application/problem+json"]["schema"]).validate(fault)


def test_a_wrong_wish_breaks_the_schema_as_it_breaks_the_server(document: Document) -> None:
    schema = document["components"]["schemas"]["ColorizationRequest"]
    for wish in ({"samples": 13}, {"seed": -1}, {"colour": 1}, {"edits": {"version": 2}}):
        assert not validator(document, schema).is_valid(wish)
