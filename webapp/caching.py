"""Answers that a browser may keep: nothing that an address names ever changes.

Called by the views in `webapp.api`.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, current_app, request

from webapp.forms import FORMATS, ImageFormat, read_side


def not_modified(etag: str) -> Response | None:
    """The answer for a browser that has this already, or None."""
    if not request.if_none_match.contains(etag):
        return None
    return cached(Response(status=304), etag, public=False)


def image_answer(
    data: bytes, image_format: ImageFormat, etag: str, *, public: bool = False
) -> Response:
    """A picture; in ranges, or not at all, where the browser asks for that."""
    answer = cached(Response(data, mimetype=FORMATS[image_format]), etag, public=public)
    answer.make_conditional(request)
    return answer


def sized_picture(name: str, render: Callable[[int], bytes]) -> Response:
    """A WebP whose longest side the query names, made unless the browser has it already.

    Args:
        name: what it shows, unique among pictures.
        render: gives the bytes for a side in pixels.
    """
    side = read_side()
    etag = f"{name}-{side}"
    return not_modified(etag) or image_answer(render(side), "webp", etag)


def cached(answer: Response, etag: str, *, public: bool) -> Response:
    """The answer with leave to keep it; ``public``: for everybody, not this session alone."""
    answer.set_etag(etag)
    lifetime = current_app.config["PHOTO_LIFETIME"]
    scope = "public" if public else "private"
    answer.headers["Cache-Control"] = f"{scope}, max-age={lifetime}, immutable"
    return answer
