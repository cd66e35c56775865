"""What keeps strangers out: who owns a photo, cross-site requests, response headers, the prefix."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask, Response, request, session

from webapp.problems import ProblemError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def session_owner(*, create: bool = False) -> str:
    """The random name of this browser session; empty when it has none and ``create`` is off."""
    owner = session.get("owner")
    if isinstance(owner, str) and owner:
        return owner
    if not create:
        return ""
    owner = secrets.token_urlsafe(24)
    session["owner"] = owner
    return owner


def install_guard(app: Flask) -> None:
    """Refuse state-changing requests of other sites and set the headers of every answer."""

    @app.before_request
    def refuse_cross_site() -> None:
        if request.method not in _SAFE_METHODS and _is_cross_site():
            raise ProblemError(
                403,
                "cross-site",
                "Refused",
                "This request came from another site. Open Huefield itself and try again.",
            )

    @app.after_request
    def add_headers(response: Response) -> Response:
        # A page that says itself who may frame it must not be contradicted.
        framed = "frame-ancestors" in response.headers.get("Content-Security-Policy", "")
        for name, value in _HEADERS.items():
            if framed and name == "X-Frame-Options":
                continue
            response.headers.setdefault(name, value)
        return response


def _is_cross_site() -> bool:
    """Whether a browser says that another site sent this request.

    Browsers send ``Sec-Fetch-Site`` on secure origins and ``Origin`` everywhere with a POST or
    DELETE; a request with neither does not come from a page and carries nobody's cookie.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc != request.host


class PathPrefix:
    """WSGI layer that serves ``app`` under a path prefix, whether or not a proxy strips it."""

    def __init__(self, app: WSGIApplication, prefix: str) -> None:
        self._app = app
        self._prefix = "/" + prefix.strip("/")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The app's answer to a request whose prefix, if any, was moved to SCRIPT_NAME."""
        path = environ.get("PATH_INFO", "")
        if path == self._prefix or path.startswith(self._prefix + "/"):
            environ["PATH_INFO"] = path[len(self._prefix) :] or "/"
        environ["SCRIPT_NAME"] = self._prefix
        return self._app(environ, start_response)
