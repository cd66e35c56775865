"""The researcher's pages under /admin: log in, make and watch studies, take exports and reports."""

from __future__ import annotations

import hmac
import io
import secrets
import tempfile
import time
import zipfile
from pathlib import Path
from typing import cast

from flask import (
    Blueprint,
    Response,
    current_app,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from huefield.study.export import export_files
from huefield.study.model_pictures import ModelColorer
from huefield.study.reading import parse_definition
from huefield.study.records import StudyError
from huefield.study.report import report_files
from webapp.admin.passwords import Logins, TooManyError, password_version
from webapp.admin.progress import progress_of
from webapp.admin.uploads import unpack_study
from webapp.problems import ProblemError
from webapp.study.exporting import export_study
from webapp.study.store import Study, StudyStore

admin = Blueprint("admin", __name__, url_prefix="/admin")
_LONGEST = 12 * 3600  # seconds until even a busy session ends
_REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_KINDS = {
    "html": "text/html",
    "md": "text/markdown",
    "json": "application/json",
    "tex": "text/x-tex",
}


@admin.before_request
def require_login() -> ResponseReturnValue | None:
    """Sends strangers to the login, and refuses forms that did not come from these pages."""
    if request.endpoint == "admin.login":
        return None
    now = time.time()
    valid = (
        session.get("admin_version") == password_version(_store().database)
        and now - float(session.get("admin_seen", 0)) < current_app.config["ADMIN_SESSION"]
        and now - float(session.get("admin_since", 0)) < _LONGEST
        and session.get("admin_version") is not None
    )
    if not valid:
        _forget()
        if request.method == "GET":
            return redirect(url_for("admin.login"))
        raise ProblemError(401, "login", "Please log in", "Your session has ended.")
    session["admin_seen"] = now
    if request.method == "POST":
        _check_csrf()
    return None


@admin.after_request
def keep_private(response: Response) -> Response:
    """Nothing of these pages stays in a cache."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@admin.route("/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    """The login page."""
    status, fault = 200, ""
    if request.method == "POST":
        logins = cast(Logins, current_app.extensions["huefield_logins"])
        try:
            version = logins.attempt(
                request.form.get("password", "")[:1000], request.remote_addr or ""
            )
        except TooManyError:
            status, fault = 429, "Too many attempts. Try again in a quarter of an hour."
        else:
            if version is not None:
                _forget()
                now = time.time()
                session.update(
                    admin_version=version,
                    admin_seen=now,
                    admin_since=now,
                    admin_csrf=secrets.token_urlsafe(24),
                )
                return redirect(url_for("admin.studies"), 303)
            status, fault = 403, "That is not the password."
    unset = password_version(_store().database) == 0
    return Response(render_template("admin/login.html", fault=fault, unset=unset), status)


@admin.post("/logout")
def logout() -> ResponseReturnValue:
    """Ends the session."""
    _forget()
    return redirect(url_for("admin.login"), 303)


@admin.get("/")
def studies() -> ResponseReturnValue:
    """All studies, and the form to make one."""
    return _page("admin/studies.html", studies=_store().all())


@admin.post("/studies")
def create() -> ResponseReturnValue:
    """A draft of the study in an uploaded zip."""
    sent = request.files.get("study")
    if sent is None or not sent.filename:
        return _page("admin/studies.html", 422, studies=_store().all(), fault="Choose a zip file.")
    limit = current_app.config["STUDY_UPLOAD_BYTES"]
    with tempfile.TemporaryDirectory(prefix="huefield-study-") as folder:
        try:
            path = unpack_study(cast(io.BytesIO, sent.stream), Path(folder), limit)
            definition = parse_definition(path.read_text(encoding="utf-8", errors="replace"))
            colorer = ModelColorer(current_app.config["MODELS"])
            made = _store().create(definition, path.parent, colorer)
        except StudyError as error:
            fault = str(error).replace(folder, "zip")
            return _page("admin/studies.html", 422, studies=_store().all(), fault=fault)
    return redirect(_address(made), 303)


@admin.get("/studies/<name>/<int:version>")
def show(name: str, version: int) -> ResponseReturnValue:
    """One study with its progress."""
    found = _find(name, version)
    return _page(
        "admin/study.html",
        study=found,
        definition=found.definition,
        progress=progress_of(_store().database, found),
        tokens=(),
        link=url_for("study.page", name=name, _external=True),
    )


@admin.get("/studies/<name>/<int:version>/progress")
def progress(name: str, version: int) -> ResponseReturnValue:
    """The part of that page that changes, for its script."""
    found = _find(name, version)
    return render_template("admin/progress.html", progress=progress_of(_store().database, found))


@admin.post("/studies/<name>/<int:version>/<action>")
def act(name: str, version: int, action: str) -> ResponseReturnValue:
    """Opens, closes or deletes a study, or makes invitations."""
    store, found = _store(), _find(name, version)
    try:
        if action == "open":
            store.open(found)
        elif action == "close":
            store.close(found)
        elif action == "invite":
            return _invite(found)
        elif action == "delete":
            if request.form.get("name") != name:
                raise ProblemError(422, "confirm", "Not deleted", "Type the name of the study.")
            store.delete(found)
            return redirect(url_for("admin.studies"), 303)
        else:
            raise ProblemError(404, "no-action", "No such action", "See the page of the study.")
    except StudyError as error:
        raise ProblemError(409, "study", "That is not possible", str(error)) from error
    return redirect(_address(found), 303)


@admin.get("/studies/<name>/<int:version>/export.zip")
def export(name: str, version: int) -> ResponseReturnValue:
    """The export as a zip."""
    found = _find(name, version)
    with_ids = request.args.get("ids") == "1"
    files = export_files(export_study(_store().database, found, with_ids=with_ids))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for file_name, data in files.items():
            archive.writestr(zipfile.ZipInfo(f"{name}-{version}/{file_name}"), data)
    answer = Response(stream.getvalue(), mimetype="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}-{version}.zip"'
    return answer


@admin.get("/studies/<name>/<int:version>/report.<kind>")
def report(name: str, version: int, kind: str) -> ResponseReturnValue:
    """The report; while the study is open only for who asks for it outright."""
    found = _find(name, version)
    if kind not in _KINDS:
        raise ProblemError(404, "no-report", "No such report", f"One of {', '.join(_KINDS)}.")
    if found.state != "closed" and request.args.get("early") != "1":
        raise ProblemError(
            409,
            "still-open",
            "The study is open",
            "Win rates are hidden until it is closed: looking early tempts to stop early.",
        )
    data = report_files(export_study(_store().database, found))[f"report.{kind}"]
    answer = Response(data, mimetype=_KINDS[kind])
    answer.headers["Content-Security-Policy"] = _REPORT_POLICY
    if kind != "html":
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}-{version}.{kind}"'
    return answer


def _invite(found: Study) -> ResponseReturnValue:
    text = request.form.get("count", "")
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise ProblemError(422, "count", "Not made", "count: expected 1 to 1000")
    tokens = _store().invite(found, int(text))
    return _page(
        "admin/study.html",
        study=found,
        definition=found.definition,
        progress=progress_of(_store().database, found),
        tokens=tokens,
        link=url_for("study.page", name=found.name, _external=True),
    )


def _page(template: str, status: int = 200, **values: object) -> Response:
    csrf = session.get("admin_csrf", "")
    return Response(render_template(template, csrf=csrf, **values), status)


def _check_csrf() -> None:
    """Compares the form's token with the session's.

    Raises:
        ProblemError: 403 when they differ, 413 when the body is too large.
    """
    request.max_content_length = current_app.config["STUDY_UPLOAD_BYTES"]
    try:
        sent = request.form.get("csrf", "")
    except RequestEntityTooLarge as error:
        raise ProblemError(413, "too-large", "Too large", "The file is too large.") from error
    known = session.get("admin_csrf", "")
    if not known or not hmac.compare_digest(str(known).encode(), sent.encode()):
        raise ProblemError(403, "csrf", "Refused", "This form is out of date: reload the page.")


def _find(name: str, version: int) -> Study:
    try:
        return _store().find(name, version)
    except StudyError as error:
        raise ProblemError(404, "no-study", "No such study", str(error)) from error


def _address(found: Study) -> str:
    return url_for("admin.show", name=found.name, version=found.version)


def _forget() -> None:
    for key in ("admin_version", "admin_seen", "admin_since", "admin_csrf"):
        session.pop(key, None)


def _store() -> StudyStore:
    return cast(StudyStore, current_app.extensions["huefield_studies"])
