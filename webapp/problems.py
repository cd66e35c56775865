"""Errors, made in one place: problem+json (RFC 9457) for programs, a page in words for browsers."""

from __future__ import annotations

import json
from collections.abc import Mapping

from flask import Flask, Response, current_app, render_template, request
from werkzeug.exceptions import HTTPException

from huefield.networks import ModelError
from huefield.photo import PhotoError
from huefield.strokes import EditsError

_WORDS = {
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    413: "The request is larger than this server takes.",
    415: "The body is of a type that this address does not take.",
}


class ProblemError(ValueError):
    """A fault of one request, with the status and the words that its answer carries."""

    def __init__(
        self,
        status: int,
        kind: str,
        title: str,
        detail: str,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.title = title
        self.detail = detail
        self.extra = dict(extra or {})
        self.headers: list[tuple[str, str]] = []

    def body(self) -> dict[str, object]:
        """A JSON object with ``type``, ``title``, ``status`` and ``detail``."""
        return {
            "type": f"urn:huefield:problem:{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.extra,
        }

    def response(self) -> Response:
        """The answer with that body."""
        return self._answer(json.dumps(self.body()), "application/problem+json")

    def page(self) -> Response:
        """The answer as a page in words."""
        words = render_template("fault.html", title=self.title, detail=self.detail)
        return self._answer(words, "text/html")

    def _answer(self, body: str, kind: str) -> Response:
        answer = Response(body, self.status, mimetype=kind)
        answer.headers["Cache-Control"] = "no-store"
        for name, value in self.headers:
            answer.headers[name] = value
        return answer


def install_problems(app: Flask) -> None:
    """Register the one handler that answers every error of ``app``."""

    @app.errorhandler(Exception)
    def answer(error: Exception) -> Response:
        problem = problem_of(error)
        return problem.page() if _wants_page() else problem.response()


def _wants_page() -> bool:
    """Whether a person waits for a page: browsers say so, scripts take anything."""
    kinds = request.accept_mimetypes
    return kinds["text/html"] > kinds["application/problem+json"]


def problem_of(error: Exception) -> ProblemError:
    """Any error as a problem; one that nobody foresaw is logged."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, PhotoError):
        return ProblemError(422, "photo-refused", "This photo cannot be opened", str(error))
    if isinstance(error, EditsError):
        return ProblemError(422, "edits-refused", "The edits are not valid", str(error))
    if isinstance(error, ModelError):
        current_app.logger.error("model: %s", error)
        return ProblemError(503, "model-unavailable", "The model is not available", str(error))
    if isinstance(error, HTTPException) and error.code is not None and error.code >= 400:
        name = error.name
        detail = _WORDS.get(error.code, error.description or name)
        problem = ProblemError(error.code, name.lower().replace(" ", "-"), name, detail)
        # Such as Allow of a 405.
        kept = [pair for pair in error.get_headers() if not pair[0].startswith("Content-")]
        problem.headers.extend(kept)
        return problem
    current_app.logger.error("unexpected error", exc_info=error)
    return ProblemError(500, "internal", "The server failed", "An unexpected error; it was logged.")
