"""The part of the HTTP API that shows earlier methods beside ours, on the blueprint of `api`."""

from __future__ import annotations

from typing import cast

from flask import current_app, jsonify, url_for
from flask.typing import ResponseReturnValue

from webapp.answers import field_json
from webapp.api import api
from webapp.caching import sized_picture
from webapp.comparisons import Comparisons
from webapp.current import own_photo, sample_index, stored_answer
from webapp.forms import read_comparison
from webapp.storage import StoredColorization, StoredPhoto

__all__ = ["api"]


@api.get("/methods")
def list_methods() -> ResponseReturnValue:
    """The earlier methods that can be shown beside ours."""
    methods = _comparisons().methods
    return jsonify(
        methods=[
            {
                "name": method.name,
                "title": method.title,
                "kind": method.kind,
                "description": method.description,
                "source": method.source,
                "seconds": methods.seconds(method.name),
            }
            for method in methods.all()
        ]
    )


@api.post("/photos/<photo_id>/comparisons")
def add_comparison(photo_id: str) -> ResponseReturnValue:
    """What an earlier method makes of a photo."""
    photo = own_photo(photo_id)
    made = _comparisons().compare(photo, read_comparison((photo.width, photo.height)))
    answer = jsonify(_comparison_json(photo, made))
    answer.status_code = 201
    answer.headers["Location"] = url_for(".show_comparison", photo_id=photo.id, key=made.key)
    return answer


@api.get("/photos/<photo_id>/comparisons/<key>")
def show_comparison(photo_id: str, key: str) -> ResponseReturnValue:
    """A comparison that was made before."""
    photo = own_photo(photo_id)
    return jsonify(_comparison_json(photo, stored_answer(photo, key, comparison=True)))


@api.get("/photos/<photo_id>/comparisons/<key>/samples/<int:index>/preview")
def show_comparison_preview(photo_id: str, key: str, index: int) -> ResponseReturnValue:
    """One sample of an earlier method at screen size, as WebP."""
    photo = own_photo(photo_id)

    def render(side: int) -> bytes:
        made = stored_answer(photo, key, comparison=True)
        return _comparisons().preview(photo, made, sample_index(made, index), side)

    return sized_picture(f"{key}-{index}", render)


def _comparison_json(photo: StoredPhoto, made: StoredColorization) -> dict[str, object]:
    """The samples with their colour fields and the addresses of their pictures."""
    return {
        **made.document,
        "id": made.key,
        "samples": [
            {
                "index": index,
                "field": field_json(field),
                "preview": url_for(
                    ".show_comparison_preview", photo_id=photo.id, key=made.key, index=index
                ),
            }
            for index, field in enumerate(made.fields)
        ],
    }


def _comparisons() -> Comparisons:
    return cast(Comparisons, current_app.extensions["huefield_comparisons"])
