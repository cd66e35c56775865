"""The API in words for machines: an OpenAPI 3.1 document.

Tests compare it with the routes and check real answers against its schemas.
"""

from __future__ import annotations

from importlib.metadata import version

from webapp.forms import FORMATS, SIDES
from webapp.schemas import COUNT, NUMBER, TEXT, JsonObject, ref, schemas


def openapi_document(server: str) -> JsonObject:
    """The document; ``server`` is the path that the app is served under."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Huefield",
            "version": version("huefield"),
            "summary": "Several colourings of a grey photo, each steerable with strokes",
            "description": (
                "A photo belongs to the session (cookie) that sent it, and is deleted some time "
                "after its last use. Requests that change something are refused when a browser "
                "says that another site sent them."
            ),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": server}],
        "paths": _paths(),
        "components": {
            "schemas": schemas(),
            "responses": {
                "Problem": {
                    "description": "What went wrong (RFC 9457)",
                    "content": {"application/problem+json": {"schema": ref("Problem")}},
                }
            },
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": "huefield"}},
        },
    }


def _paths() -> JsonObject:
    photo = _path("photo_id", TEXT)
    key = _path("key", TEXT)
    index = _path("index", COUNT)
    example = _path("name", TEXT)
    side = _query("side", {"type": "integer", "enum": list(SIDES), "default": 1024})
    model = _query("model", TEXT)
    image_format = _query("format", {"type": "string", "enum": list(FORMATS), "default": "png"})
    tone = [
        _query(name, {"type": "number", "minimum": low, "maximum": high, "default": usual})
        for name, low, high, usual in (
            ("saturation", 0, 2, 1),
            ("warmth", -1, 1, 0),
            ("strength", 0, 1, 1),
        )
    ]
    mark, layer = (_query(name, {"enum": [0, 1], "default": 0}) for name in ("mark", "layer"))
    place = [_query("x", NUMBER, required=True), _query("y", NUMBER, required=True)]
    webp: JsonObject = {"image/webp": {}}
    one = "/api/v1/photos/{photo_id}"
    coloring = one + "/colorizations/{key}"
    comparison = one + "/comparisons/{key}"
    new_photo = {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["photo"],
                "properties": {"photo": {"type": "string", "format": "binary"}},
            }
        },
        "application/json": {"schema": ref("ExampleChoice")},
    }
    return {
        "/api/v1/openapi.json": {"get": _operation("describe", "This document", _json("Any"))},
        "/api/v1/models": {"get": _operation("list_models", "Installed models", _json("Models"))},
        "/api/v1/methods": {
            "get": _operation(
                "list_methods", "Earlier methods that can be shown beside ours", _json("Methods")
            )
        },
        "/api/v1/examples": {
            "get": _operation("list_examples", "Example photos", _json("Examples"))
        },
        "/api/v1/examples/{name}/thumbnail": {
            "get": _operation("show_example", "A small picture of an example", webp, [example])
        },
        "/api/v1/photos": {
            "post": _operation(
                "add_photo", "Send a photo or choose an example", _json("Photo"), [], 201, new_photo
            )
        },
        one: {
            "get": _operation("show_photo", "What is known of a photo", _json("Photo"), [photo]),
            "delete": _operation("remove_photo", "Delete a photo", {}, [photo], 204),
        },
        one + "/grey": {
            "get": _operation("show_grey", "The photo without colour", webp, [photo, side])
        },
        one + "/colorizations": {
            "post": _operation(
                "add_colorization",
                "Colour a photo",
                _json("Colorization"),
                [photo],
                201,
                {"application/json": {"schema": ref("ColorizationRequest")}},
                {
                    "200": {
                        "description": (
                            "With `Accept: application/x-ndjson`, or for a draft: a JSON line "
                            "for each sample as soon as it is ready, then one with all "
                            "addresses (not for a draft)"
                        ),
                        "content": {"application/x-ndjson": {"schema": ref("StreamLine")}},
                    }
                },
            )
        },
        coloring: {
            "get": _operation(
                "show_colorization", "A colouring made before", _json("Colorization"), [photo, key]
            )
        },
        coloring + "/samples/{index}/preview": {
            "get": _operation(
                "show_preview", "A sample at screen size", webp, [photo, key, index, side]
            )
        },
        coloring + "/samples/{index}/download": {
            "get": _operation(
                "download",
                "A sample at the photo's own size",
                {media: {} for media in FORMATS.values()},
                [photo, key, index, image_format, *tone, mark, layer],
            )
        },
        coloring + "/samples/{index}/unary": {
            "get": _operation(
                "show_unary",
                "What the decoder said before the G-CRF",
                _json("Field"),
                [photo, key, index],
            )
        },
        one + "/comparisons": {
            "post": _operation(
                "add_comparison",
                "What an earlier method makes of a photo",
                _json("Comparison"),
                [photo],
                201,
                {"application/json": {"schema": ref("ComparisonRequest")}},
            )
        },
        comparison: {
            "get": _operation(
                "show_comparison", "A comparison made before", _json("Comparison"), [photo, key]
            )
        },
        comparison + "/samples/{index}/preview": {
            "get": _operation(
                "show_comparison_preview",
                "A sample of an earlier method at screen size",
                webp,
                [photo, key, index, side],
            )
        },
        one + "/original": {
            "get": _operation(
                "show_original", "The photo with its own colours", webp, [photo, side]
            )
        },
        one + "/influence": {
            "get": _operation(
                "show_influence",
                "What a place listens to, and what a stroke there would change",
                _json("Influence"),
                [photo, *place, model],
            )
        },
        one + "/uncertainty": {
            "get": _operation(
                "show_uncertainty",
                "How unsure the model is, cell by cell",
                _json("Uncertainty"),
                [photo, model, _query("colorization", TEXT)],
            )
        },
        one + "/palette": {
            "get": _operation(
                "show_palette",
                "Colours that suit a place, the likeliest first",
                _json("Palette"),
                [photo, *place, model],
            )
        },
    }


def _operation(
    name: str,
    summary: str,
    content: JsonObject,
    parameters: list[JsonObject] | None = None,
    status: int = 200,
    body: JsonObject | None = None,
    others: JsonObject | None = None,
) -> JsonObject:
    answer: JsonObject = {"description": summary}
    if content:
        answer["content"] = content
    operation: JsonObject = {
        "operationId": name,
        "summary": summary,
        "parameters": parameters or [],
        "responses": {
            str(status): answer,
            **(others or {}),
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }
    if any(entry["name"] == "photo_id" for entry in parameters or []):
        operation["security"] = [{"session": []}]
    if body:
        operation["requestBody"] = {"required": True, "content": body}
    return operation


def _path(name: str, schema: JsonObject) -> JsonObject:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query(name: str, schema: JsonObject, *, required: bool = False) -> JsonObject:
    return {"name": name, "in": "query", "required": required, "schema": schema}


def _json(schema: str) -> JsonObject:
    return {"application/json": {"schema": ref(schema)}}
