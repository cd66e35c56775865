"""The schemas of the API's bodies, for `openapi`."""

from __future__ import annotations

from webapp.forms import MAX_DRAW, MAX_NEAR, MAX_SAMPLES, MAX_SEED

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
        "pick": {"oneOf": [ref("Pick"), {"type": "null"}]},
    }
    addresses: JsonObject = {"preview": LINK, "download": LINK, "unary": LINK}
    seed: JsonObject = {"type": "integer", "minimum": 0, "maximum": MAX_SEED}
    draw: JsonObject = {"type": "integer", "minimum": 0, "maximum": MAX_DRAW}
    picks: JsonObject = {**_list(ref("Pick")), "minItems": 1, "maxItems": MAX_SAMPLES}
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
        "picks": {**picks, "description": "every sample by name, in place of samples and seed"},
    }
    draft: JsonObject = {"description": "show, but do not keep", "type": "boolean"}
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
                "original": LINK,
                "colorizations": LINK,
                "comparisons": LINK,
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
                "studio": {"description": "the page's own notes", "type": "object"},
            },
            required=["version", "size"],
        ),
        "Stroke": {
            **_object(
                {
                    **region,
                    "color": {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"},
                    "ab": PAIR,
                    "keep": {"description": "hold the colours there", "const": True},
                    "strength": {"type": "number", "minimum": 0, "maximum": 1, "default": 1},
                },
                required=["points", "radius"],
            ),
            "oneOf": [{"required": [name]} for name in ("color", "ab", "keep")],
        },
        "Region": _object(region),
        "Tie": _object({"a": ref("Region"), "b": ref("Region")}),
        "ColorizationRequest": _object({**request_members, "draft": draft}, required=[]),
        "Pick": _object(
            {
                "seed": seed,
                "index": draw,
                "near": {
                    "description": "steps of seed and index; the set lies near the last one",
                    "type": "array",
                    "items": {
                        "type": "array",
                        "prefixItems": [seed, draw],
                        "minItems": 2,
                        "maxItems": 2,
                    },
                    "maxItems": MAX_NEAR,
                },
                "wide": {
                    "description": "a set, or a way's first one, of colourings unlike the usual",
                    "type": "boolean",
                    "default": False,
                },
            },
            required=["seed", "index"],
        ),
        "Field": _object(
            {
                "grid": SIZE,
                "steps": {"description": "whole numbers for one unit of ab", "type": "integer"},
                "ab": {
                    "description": "a and b of each cell, row by row, as 16-bit little-endian",
                    "type": "string",
                    "contentEncoding": "base64",
                },
            }
        ),
        "StreamLine": {
            "type": "object",
            "oneOf": [
                _object({"sample": _object({**sample, "field": ref("Field")})}),
                _object({"colorization": ref("Colorization")}),
                _object({"problem": ref("Problem")}),
            ],
        },
        "Colorization": _object(
            {
                "id": TEXT,
                **request_members,
                "samples": {
                    **_list(_object({**sample, **addresses})),
                    "minItems": 1,
                    "maxItems": MAX_SAMPLES,
                },
                "seconds": {
                    "description": "seconds of each step when the colouring was made",
                    "type": "object",
                    "additionalProperties": NUMBER,
                },
            }
        ),
        "Methods": _object(
            {
                "methods": _list(
                    _object(
                        {
                            "name": TEXT,
                            "title": TEXT,
                            "kind": {
                                "description": "draws samples, or spreads the strokes of edits",
                                "enum": ["samples", "strokes"],
                            },
                            "description": TEXT,
                            "source": TEXT,
                            "seconds": {
                                "description": "of this worker's last answer; null before",
                                "type": ["number", "null"],
                            },
                        }
                    )
                )
            }
        ),
        "ComparisonRequest": _object(
            {
                "method": TEXT,
                "samples": {
                    "description": "6 if not given; 1 for a method of strokes",
                    "type": "integer",
                    "minimum": 1,
                    "maximum": MAX_SAMPLES,
                },
                "seed": {**seed, "default": 0},
                "edits": {
                    "description": "needed by a method of strokes, refused by any other",
                    "oneOf": [ref("EditFile"), {"type": "null"}],
                },
            },
            required=["method"],
        ),
        "Comparison": _object(
            {
                "id": TEXT,
                "method": TEXT,
                "seed": seed,
                "edits": {"oneOf": [ref("EditFile"), {"type": "null"}]},
                "seconds": NUMBER,
                "samples": _list(_object({"index": COUNT, "field": ref("Field"), "preview": LINK})),
            }
        ),
        "Influence": _object(
            {"grid": SIZE, "cell": COUNT, "listens": map_values, "reaches": map_values}
        ),
        "Uncertainty": _object({"grid": SIZE, "values": map_values, "helps": map_values}),
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
