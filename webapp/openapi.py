"""The API in words for machines: an OpenAPI 3.1 document.

Tests compare it with the routes and check real answers against its schemas.
"""

from __future__ import annotations

from importlib.metadata import version

from webapp.forms import FORMATS, MAX_SAMPLES, MAX_SEED, SIDES

JsonObject = dict[str, object]

_TEXT: JsonObject = {"type": "string"}
_NUMBER: JsonObject = {"type": "number"}
_COUNT: JsonObject = {"type": "integer", "minimum": 0}
_LINK: JsonObject = {"type": "string", "format": "uri-reference"}
_PAIR: JsonObject = {
    "type": "array",
    "prefixItems": [_NUMBER, _NUMBER],
    "minItems": 2,
    "maxItems": 2,
}
_SIZE: JsonObject = {
    "description": "width and height",
    "type": "array",
    "items": {"type": "integer", "minimum": 1},
    "minItems": 2,
    "maxItems": 2,
}


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
            "schemas": _schemas(),
            "responses": {
                "Problem": {
                    "description": "What went wrong (RFC 9457)",
                    "content": {"application/problem+json": {"schema": _ref("Problem")}},
                }
            },
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": "huefield"}},
        },
    }


def _paths() -> JsonObject:
    photo = _path("photo_id", _TEXT)
    key = _path("key", _TEXT)
    index = _path("index", _COUNT)
    example = _path("name", _TEXT)
    side = _query("side", {"type": "integer", "enum": list(SIDES), "default": 1024})
    model = _query("model", _TEXT)
    image_format = _query("format", {"type": "string", "enum": list(FORMATS), "default": "png"})
    place = [_query("x", _NUMBER, required=True), _query("y", _NUMBER, required=True)]
    webp: JsonObject = {"image/webp": {}}
    one = "/api/v1/photos/{photo_id}"
    coloring = one + "/colorizations/{key}"
    new_photo = {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["photo"],
                "properties": {"photo": {"type": "string", "format": "binary"}},
            }
        },
        "application/json": {"schema": _ref("ExampleChoice")},
    }
    return {
        "/api/v1/openapi.json": {"get": _operation("describe", "This document", _json("Any"))},
        "/api/v1/models": {"get": _operation("list_models", "Installed models", _json("Models"))},
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
                {"application/json": {"schema": _ref("ColorizationRequest")}},
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
                [photo, key, index, image_format],
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
                [photo, model],
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


def _schemas() -> JsonObject:
    map_values: JsonObject = {
        "description": "one number a cell of the grid, row by row",
        "type": "array",
        "items": _NUMBER,
    }
    sample: JsonObject = {
        "index": _COUNT,
        "seed": _COUNT,
        "component": _COUNT,
        "log_prob": {"type": ["number", "null"]},
        "fit": {"type": ["number", "null"]},
        "preview": _LINK,
        "download": _LINK,
    }
    request_members: JsonObject = {
        "model": _TEXT,
        "samples": {"type": "integer", "minimum": 1, "maximum": MAX_SAMPLES, "default": 6},
        "seed": {"type": "integer", "minimum": 0, "maximum": MAX_SEED, "default": 0},
        "condition": {
            "description": "choose samples that agree with the edits from the start",
            "type": "boolean",
            "default": False,
        },
        "edits": {"oneOf": [_ref("EditFile"), {"type": "null"}]},
    }
    region: JsonObject = {
        "points": {"type": "array", "items": _PAIR, "minItems": 1},
        "radius": _NUMBER,
    }
    return {
        "Any": {"type": "object"},
        "Problem": _object(
            {"type": _TEXT, "title": _TEXT, "status": {"type": "integer"}, "detail": _TEXT},
            closed=False,
        ),
        "Models": _object(
            {
                "models": _list(
                    _object(
                        {
                            "name": _TEXT,
                            "description": _TEXT,
                            "default": {"type": "boolean"},
                            "grid_area": _COUNT,
                            "num_components": _COUNT,
                        }
                    )
                )
            }
        ),
        "Examples": _object(
            {
                "examples": _list(
                    _object(
                        {
                            "name": _TEXT,
                            "title": _TEXT,
                            "credit": _TEXT,
                            "licence": _TEXT,
                            "size": _SIZE,
                            "thumbnail": _LINK,
                        }
                    )
                )
            }
        ),
        "ExampleChoice": _object({"example": _TEXT}),
        "Photo": _object(
            {
                "id": _TEXT,
                "name": _TEXT,
                "size": _SIZE,
                "grid": _SIZE,
                "format": _TEXT,
                "has_color": {"type": "boolean"},
                "lifetime": _COUNT,
                "url": _LINK,
                "grey": _LINK,
                "colorizations": _LINK,
                "influence": _LINK,
                "uncertainty": _LINK,
                "palette": _LINK,
            }
        ),
        "EditFile": _object(
            {
                "version": {"const": 1},
                "size": _SIZE,
                "strokes": _list(_ref("Stroke")),
                "ties": _list(_ref("Tie")),
            },
            required=["version", "size"],
        ),
        "Stroke": {
            **_object(
                {
                    **region,
                    "color": {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"},
                    "ab": _PAIR,
                    "strength": {"type": "number", "minimum": 0, "maximum": 1, "default": 1},
                },
                required=["points", "radius"],
            ),
            "oneOf": [{"required": ["color"]}, {"required": ["ab"]}],
        },
        "Region": _object(region),
        "Tie": _object({"a": _ref("Region"), "b": _ref("Region")}),
        "ColorizationRequest": _object(request_members, required=[]),
        "Colorization": _object(
            {
                "id": _TEXT,
                **request_members,
                "samples": {**_list(_object(sample)), "minItems": 1, "maxItems": MAX_SAMPLES},
                "seconds": {
                    "description": "seconds of each step when the colouring was made",
                    "type": "object",
                    "additionalProperties": _NUMBER,
                },
            }
        ),
        "Influence": _object(
            {"grid": _SIZE, "cell": _COUNT, "listens": map_values, "reaches": map_values}
        ),
        "Uncertainty": _object({"grid": _SIZE, "values": map_values}),
        "Palette": _object(
            {
                "colors": _list(
                    _object(
                        {
                            "color": {"type": "string", "pattern": "^#[0-9a-f]{6}$"},
                            "ab": _PAIR,
                            "share": {"type": "number", "minimum": 0, "maximum": 1},
                        }
                    )
                )
            }
        ),
    }


def _operation(
    name: str,
    summary: str,
    content: JsonObject,
    parameters: list[JsonObject] | None = None,
    status: int = 200,
    body: JsonObject | None = None,
) -> JsonObject:
    answer: JsonObject = {"description": summary}
    if content:
        answer["content"] = content
    operation: JsonObject = {
        "operationId": name,
        "summary": summary,
        "parameters": parameters or [],
        "responses": {str(status): answer, "default": {"$ref": "#/components/responses/Problem"}},
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
    return {"application/json": {"schema": _ref(schema)}}


def _ref(schema: str) -> JsonObject:
    return {"$ref": f"#/components/schemas/{schema}"}


def _list(items: JsonObject) -> JsonObject:
    return {"type": "array", "items": items}


def _object(
    members: JsonObject, *, required: list[str] | None = None, closed: bool = True
) -> JsonObject:
    return {
        "type": "object",
        "properties": members,
        "required": list(members) if required is None else required,
        "additionalProperties": not closed,
    }
