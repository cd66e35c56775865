"""The HTTP API under ``/api/v1``: photos, their colourings, and what the model knows of them."""

from __future__ import annotations

import io
import itertools
from pathlib import PurePath
from typing import cast

from flask import (
    Blueprint,
    Response,
    current_app,
    jsonify,
    request,
    send_file,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.utils import secure_filename

from huefield.photo import read_photo
from webapp.answers import NDJSON, colorization_json, field_json, photo_json, sample_lines
from webapp.caching import cached, image_answer, not_modified, sized_picture
from webapp.current import own_photo, photo_store, sample_index, stored_answer, workbench
from webapp.examples import Examples
from webapp.finishing import Finish
from webapp.forms import (
    FORMATS,
    read_colorization,
    read_flag,
    read_format,
    read_json_object,
    read_place,
    read_tone,
)
from webapp.guard import session_owner
from webapp.openapi import openapi_document
from webapp.problems import ProblemError

api = Blueprint("api", __name__, url_prefix="/api/v1")


@api.get("/openapi.json")
def describe() -> ResponseReturnValue:
    """This API as an OpenAPI 3.1 document."""
    return jsonify(openapi_document(url_for("studio.page").rstrip("/") or "/"))


@api.get("/models")
def list_models() -> ResponseReturnValue:
    """The models that can colour."""
    bench = workbench()
    default = bench.default_model()
    return jsonify(
        models=[
            {
                "name": info.name,
                "description": info.description,
                "default": info.name == default,
                "grid_area": info.grid_area,
                "num_components": info.num_components,
            }
            for info in bench.models()
        ]
    )


@api.get("/examples")
def list_examples() -> ResponseReturnValue:
    """The photos that come with Huefield."""
    return jsonify(
        examples=[
            {
                "name": example.name,
                "title": example.title,
                "credit": example.credit,
                "licence": example.licence,
                "size": [example.width, example.height],
                "thumbnail": url_for(".show_example", name=example.name),
            }
            for example in _examples().all()
        ]
    )


@api.get("/examples/<name>/thumbnail")
def show_example(name: str) -> ResponseReturnValue:
    """A small WebP of an example."""
    data, etag = _examples().thumbnail(name)
    return image_answer(data, "webp", etag, public=True)


@api.post("/photos")
def add_photo() -> ResponseReturnValue:
    """Take a photo, sent as a file or named as an example."""
    if request.mimetype == "multipart/form-data":
        file = request.files.get("photo")
        if file is None:
            raise ProblemError(
                400, "bad-request", "Bad request", "The form has no file in the field 'photo'."
            )
        data, name = file.read(), file.filename or ""
    elif request.is_json:
        wanted = read_json_object().get("example")
        example = _examples().find(wanted if isinstance(wanted, str) else "")
        data, name = example.path.read_bytes(), example.path.name
    else:
        raise UnsupportedMediaType
    config = current_app.config
    photo = read_photo(
        data, max_pixels=config["PHOTO_MAX_PIXELS"], max_bytes=config["PHOTO_MAX_BYTES"]
    )
    stored = photo_store().add(
        data,
        owner=session_owner(create=True),
        name=secure_filename(PurePath(name).stem)[:80] or "photo",
        size=(photo.width, photo.height),
        file_format=photo.format,
        has_color=photo.has_color,
    )
    workbench().remember(stored, photo)
    answer = jsonify(photo_json(stored, workbench()))
    answer.status_code = 201
    answer.headers["Location"] = url_for(".show_photo", photo_id=stored.id)
    return answer


@api.get("/photos/<photo_id>")
def show_photo(photo_id: str) -> ResponseReturnValue:
    """What is known about a photo."""
    return jsonify(photo_json(own_photo(photo_id), workbench()))


@api.delete("/photos/<photo_id>")
def remove_photo(photo_id: str) -> ResponseReturnValue:
    """Delete a photo and all that was made from it."""
    photo = own_photo(photo_id)
    photo_store().remove(photo)
    workbench().forget(photo)
    return "", 204


@api.get("/photos/<photo_id>/grey")
def show_grey(photo_id: str) -> ResponseReturnValue:
    """The photo without its colours, as WebP."""
    photo = own_photo(photo_id)
    return sized_picture(f"{photo.id}-grey", lambda side: workbench().grey(photo, side))


@api.post("/photos/<photo_id>/colorizations")
def add_colorization(photo_id: str) -> ResponseReturnValue:
    """Colour a photo: several samples, all of which follow the edits; streamed on request."""
    photo = own_photo(photo_id)
    bench = workbench()
    wanted = read_colorization(bench.default_model(), (photo.width, photo.height))
    if wanted.draft or request.accept_mimetypes.best == NDJSON:
        entries = bench.stream(photo, wanted)
        # The first step runs before the status is sent, so that a refusal has its own.
        first = next(entries)
        lines = sample_lines(photo, wanted, itertools.chain([first], entries))
        answer = Response(stream_with_context(lines), mimetype=NDJSON)
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["X-Accel-Buffering"] = "no"
        return answer
    made = bench.colorize(photo, wanted)
    answer = jsonify(colorization_json(photo, made))
    answer.status_code = 201
    answer.headers["Location"] = url_for(".show_colorization", photo_id=photo.id, key=made.key)
    return answer


@api.get("/photos/<photo_id>/colorizations/<key>")
def show_colorization(photo_id: str, key: str) -> ResponseReturnValue:
    """A colouring that was made before."""
    photo = own_photo(photo_id)
    return jsonify(colorization_json(photo, stored_answer(photo, key)))


@api.get("/photos/<photo_id>/colorizations/<key>/samples/<int:index>/preview")
def show_preview(photo_id: str, key: str, index: int) -> ResponseReturnValue:
    """One sample at screen size, as WebP."""
    photo = own_photo(photo_id)

    def render(side: int) -> bytes:
        made = stored_answer(photo, key)
        return workbench().preview(photo, made, sample_index(made, index), side)

    return sized_picture(f"{key}-{index}", render)


@api.get("/photos/<photo_id>/colorizations/<key>/samples/<int:index>/download")
def download(photo_id: str, key: str, index: int) -> ResponseReturnValue:
    """One sample at the photo's own size, as a file to keep."""
    photo = own_photo(photo_id)
    image_format = read_format()
    finish = Finish(image_format, read_tone(), read_flag("mark"), read_flag("layer"))
    made = stored_answer(photo, key)
    data = workbench().download(photo, made, sample_index(made, index), finish)
    answer = send_file(
        io.BytesIO(data),
        mimetype=FORMATS[image_format],
        as_attachment=True,
        download_name=f"{photo.name}-{index + 1}{'-layer' if finish.layer else ''}.{image_format}",
    )
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@api.get("/photos/<photo_id>/colorizations/<key>/samples/<int:index>/unary")
def show_unary(photo_id: str, key: str, index: int) -> ResponseReturnValue:
    """What the decoder said for a sample before the G-CRF made it consistent."""
    photo = own_photo(photo_id)
    etag = f"{key}-{index}-unary"
    known = not_modified(etag)
    if known is not None:
        return known
    made = stored_answer(photo, key)
    field = workbench().unary(photo, made, sample_index(made, index))
    return cached(jsonify(field_json(field)), etag, public=False)


@api.get("/photos/<photo_id>/original")
def show_original(photo_id: str) -> ResponseReturnValue:
    """The photo with the colours that it came with, as WebP."""
    photo = own_photo(photo_id)
    return sized_picture(f"{photo.id}-original", lambda side: workbench().original(photo, side))


@api.get("/photos/<photo_id>/influence")
def show_influence(photo_id: str) -> ResponseReturnValue:
    """Which cells the cell at (x, y) listens to, and which ones a stroke there would change."""
    photo = own_photo(photo_id)
    return jsonify(
        workbench().influence(photo, _model_name(), *read_place(photo.width, photo.height))
    )


@api.get("/photos/<photo_id>/uncertainty")
def show_uncertainty(photo_id: str) -> ResponseReturnValue:
    """How unsure the model is of each cell, and how much a stroke there helps."""
    photo = own_photo(photo_id)
    key = request.args.get("colorization")
    made = None if key is None else stored_answer(photo, key)
    return jsonify(workbench().uncertainty(photo, _model_name(), made))


@api.get("/photos/<photo_id>/palette")
def show_palette(photo_id: str) -> ResponseReturnValue:
    """Colours that suit the place (x, y), the likeliest first."""
    photo = own_photo(photo_id)
    return jsonify(
        workbench().palette(photo, _model_name(), *read_place(photo.width, photo.height))
    )


def _examples() -> Examples:
    return cast(Examples, current_app.extensions["huefield_examples"])


def _model_name() -> str:
    return request.args.get("model") or workbench().default_model()
