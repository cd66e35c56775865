"""The schemas of the API's bodies, for `openapi`."""

from __future__ import annotations

from webapp.forms import MAX_SAMPLES, MAX_SEED

JsonObject = dict[str, object]

TEXT: JsonObject = {"type": "string"}
NUMBER: JsonObject = {"type": "number"}
COUNT: JsonObject = {"type": "integer", "minimum": 0}
LINK: JsonObject = {"type": "string", "format": "uri-reference"}
PAIR: JsonObject = {
    "type": "array",
    "prefixItems": [NUMBER, NUMBER],
    "minItems": 2,
    "maxItems": 2,
}
SIZE: JsonObject = {
    "description": "width and height",
    "type": "array",
    "items": {"type": "integer", "minimum": 1},
    "minItems": 2,
    "maxItems": 2,
}


def schemas() -> JsonObject:
    """Every schema by name, in JSON Schema 2020-12."""
    map_values: JsonObject = {
        "description": "one number a cell of the grid, row by row",
        "type": "array",
        "items": NUMBER,
    }
    sample: JsonObject = {
        "index": COUNT,
        "seed": COUNT,
        "component": COUNT,
        "log_prob": {"type": ["number", "null"]},
        "fit": {"type": ["number", "null"]},
        "preview": LINK,
        "download": LINK,
    }
    request_members: JsonObject = {
        "model": TEXT,
        "samples": {"type": "integer", "minimum": 1, "maximum": MAX_SAMPLES, "default": 6},
        "seed": {"type": "integer", "minimum": 0, "maximum": MAX_SEED, "default": 0},
        "condition": {
            "description": "choose samples that agree with the edits from the start",
            "type": "boolean",
            "default": False,
        },
        "edits": {"oneOf": [ref("EditFile"), {"type": "null"}]},
    }
    region: JsonObject = {
        "points": {"type": "array", "items": PAIR, "minItems": 1},
        "radius": NUMBER,
    }
    return {
        "Any": {"type": "object"},
        "Problem": _object(
            {"type": TEXT, "title": TEXT, "status": {"type": "integer"}, "detail": TEXT},
            closed=False,
        ),
        "Models": _object(
            {
                "models": _list(
                    _object(
                        {
                            "name": TEXT,
                            "description": TEXT,
                            "default": {"type": "boolean"},
                            "grid_area": COUNT,
                            "num_components": COUNT,
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
                            "name": TEXT,
                            "title": TEXT,
                            "credit": TEXT,
                            "licence": TEXT,
                            "size": SIZE,
                            "thumbnail": LINK,
                        }
                    )
                )
            }
        ),
        "ExampleChoice": _object({"example": TEXT}),
        "Photo": _object(
            {
                "id": TEXT,
                "name": TEXT,
                "size": SIZE,
                "grid": SIZE,
                "format": TEXT,
                "has_color": {"type": "boolean"},
                "lifetime": COUNT,
                "url": LINK,
                "grey": LINK,
                "colorizations": LINK,
                "influence": LINK,
                "uncertainty": LINK,
                "palette": LINK,
            }
        ),
        "EditFile": _object(
            {
                "version": {"const": 1},
                "size": SIZE,
                "strokes": _list(ref("Stroke")),
                "ties": _list(ref("Tie")),
            },
            required=["version", "size"],
        ),
        "Stroke": {
            **_object(
                {
                    **region,
                    "color": {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"},
                    "ab": PAIR,
                    "strength": {"type": "number", "minimum": 0, "maximum": 1, "default": 1},
                },
                required=["points", "radius"],
            ),
            "oneOf": [{"required": ["color"]}, {"required": ["ab"]}],
        },
        "Region": _object(region),
        "Tie": _object({"a": ref("Region"), "b": ref("Region")}),
        "ColorizationRequest": _object(request_members, required=[]),
        "Colorization": _object(
            {
                "id": TEXT,
                **request_members,
                "samples": {**_list(_object(sample)), "minItems": 1, "maxItems": MAX_SAMPLES},
                "seconds": {
                    "description": "seconds of each step when the colouring was made",
                    "type": "object",
                    "additionalProperties": NUMBER,
                },
            }
        ),
        "Influence": _object(
            {"grid": SIZE, "cell": COUNT, "listens": map_values, "reaches": map_values}
        ),
        "Uncertainty": _object({"grid": SIZE, "values": map_values}),
        "Palette": _object(
            {
                "colors": _list(
                    _object(
                        {
                            "color": {"type": "string", "pattern": "^#[0-9a-f]{6}$"},
                            "ab": PAIR,
                            "share": {"type": "number", "minimum": 0, "maximum": 1},
                        }
                    )
                )
            }
        ),
    }


def ref(schema: str) -> JsonObject:
    """A reference to the schema of that name."""
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
