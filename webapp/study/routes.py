"""The participants' pages and requests, under /study/<name>.

Participants carry no cookie: a token that only their page knows goes with every request, so no
other site can act for them, and the page works in a frame.
"""

from __future__ import annotations

import json
from typing import cast

from flask import (
    Blueprint,
    Response,
    current_app,
    jsonify,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from webapp.forms import read_json_object
from webapp.problems import ProblemError
from webapp.study.answers import read_answer, read_device, read_screen, read_text, refused
from webapp.study.limits import Limit
from webapp.study.participation import Participation, Person, closed
from webapp.study.recruitment import (
    TURK_FRAMES,
    TURK_SITES,
    entry_of,
    is_preview,
    prolific_return,
    turk_submission,
)
from webapp.study.store import StudyStore
from webapp.study.texts import consent_hash, question_of, study_texts

study = Blueprint("study", __name__)
_PARAMETERS = (
    "PROLIFIC_PID",
    "STUDY_ID",
    "SESSION_ID",
    "assignmentId",
    "hitId",
    "workerId",
    "invitation",
)


@study.get("/study/<name>")
def page(name: str) -> ResponseReturnValue:
    """The page of a study, from consent to completion code."""
    live = _participation().study(name)
    definition = live.definition
    parameters = {key: request.args[key] for key in _PARAMETERS if key in request.args}
    trials = definition.trials
    config = {
        "name": live.name,
        "version": live.version,
        "state": live.state,
        "protocol": definition.protocol,
        "practice": trials.practice > 0,
        "cantTell": trials.cant_tell,
        "timeLimit": trials.time_limit,
        "exposure": trials.exposure_ms,
        "blank": trials.blank_ms,
        "flip": trials.flip_ms,
        "device": {"kind": definition.device.kind, "minWidth": definition.device.min_width},
        "consentHash": consent_hash(definition),
        "entry": parameters,
        "preview": is_preview(request.args),
        "turk": turk_submission(request.args),
        "prolific": prolific_return(definition) if "PROLIFIC_PID" in parameters else "",
        "join": url_for("study.join", name=name),
        "here": url_for("study.state", name=name),
        "screen": url_for("study.screen", name=name),
        "votes": url_for("study.vote", name=name),
        "pictures": url_for("study.picture", address=""),
    }
    html = render_template(
        "study/participant.html",
        title=definition.title,
        question=question_of(definition),
        texts=study_texts(definition),
        config=json.dumps(config),
        protocol=definition.protocol,
        cant_tell=trials.cant_tell,
        show_gray=trials.show_gray,
        assignment=parameters.get("assignmentId", ""),
        turk=config["turk"],
        withdraw=url_for("study.withdraw", name=name),
    )
    answer = Response(html)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    if definition.recruitment.mturk:
        answer.headers["Content-Security-Policy"] = _turk_policy()
        answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


@study.post("/study/<name>/join")
def join(name: str) -> ResponseReturnValue:
    """A participation, new or taken up again, for a person who consents."""
    _limit("joins").use(request.remote_addr or "")
    participation = _participation()
    live = participation.study(name)
    if live.state != "open":
        raise closed()
    body = read_json_object()
    if body.get("consent") is not True:
        raise refused("consent", "expected true; nobody takes part without it")
    if read_text(body, "consent_hash") != consent_hash(live.definition):
        raise refused("consent_hash", "the text has changed; please reload the page")
    given = body.get("entry", {})
    if not isinstance(given, dict):
        raise refused("entry", "expected the parameters of the page's address")
    parameters = {key: read_text(given, key) for key in _PARAMETERS if key in given}
    entry = entry_of(parameters, live.definition)
    device = read_device(body)
    rule = live.definition.device
    wanted = {"phone": "coarse", "desktop": "fine"}.get(rule.kind, device.pointer)
    if device.width < rule.min_width or device.pointer != wanted:
        raise ProblemError(
            403, "device", "Another device, please", "This study needs another kind of screen."
        )
    token = participation.join(live, entry, consent_hash(live.definition), device)
    person = participation.person(token)
    return _answer({"token": token, "state": participation.state(person)}, 201)


@study.get("/study/<name>/state")
def state(name: str) -> ResponseReturnValue:
    """What the person's page shows now."""
    person = _person(name)
    return _answer(_participation().state(person))


@study.post("/study/<name>/screen")
def screen(name: str) -> ResponseReturnValue:
    """Stores what the person says of eyes and screen."""
    person = _person(name)
    vision, steps = read_screen(read_json_object())
    return _answer(_participation().answer_screen(person, vision, steps))


@study.post("/study/<name>/votes")
def vote(name: str) -> ResponseReturnValue:
    """Stores one answer; sent again, it is answered alike and stored once."""
    person = _person(name)
    _limit("votes").use(str(person.id))
    return _answer(_participation().vote(person, read_answer(read_json_object())))


@study.route("/study/<name>/withdraw", methods=["GET", "POST"])
def withdraw(name: str) -> ResponseReturnValue:
    """The page on which a withdrawal code deletes a person's answers."""
    participation = _participation()
    live = participation.study(name)
    result = ""
    if request.method == "POST":
        _limit("withdrawals").use(request.remote_addr or "")
        code = request.form.get("code", "")[:64]
        result = "done" if participation.withdraw(live, code) else "unknown"
    html = render_template(
        "study/withdraw.html",
        title=live.definition.title,
        contact=live.definition.contact,
        result=result,
        page=url_for("study.page", name=name),
    )
    answer = Response(html, 422 if result == "unknown" else 200)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@study.get("/study-pictures/", defaults={"address": ""})
@study.get("/study-pictures/<address>")
def picture(address: str) -> ResponseReturnValue:
    """The picture at a sealed address."""
    live, sha256 = _participation().picture(address)
    data = _store().picture_data(live.name, live.version, sha256)
    kind = "image/png" if live.definition.pictures.format == "png" else "image/jpeg"
    answer = Response(data, mimetype=kind)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _turk_policy() -> str:
    """The usual policy, but frames and forms of Mechanical Turk are allowed."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "connect-src 'self'; base-uri 'none'; "
        f"form-action 'self' {' '.join(TURK_SITES)}; frame-ancestors {' '.join(TURK_FRAMES)}"
    )


def _person(name: str) -> Person:
    """Who sends this request.

    Raises:
        ProblemError: 401 when the token is missing, unknown or of another study.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    person = _participation().person(token if scheme == "Bearer" else "")
    if person.study.name != name:
        raise ProblemError(
            401, "unknown-participant", "Please begin anew", "This participation is not known."
        )
    return person


def _answer(document: object, status: int = 200) -> Response:
    answer = jsonify(document)
    answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _participation() -> Participation:
    return cast(Participation, current_app.extensions["huefield_participation"])


def _store() -> StudyStore:
    return cast(StudyStore, current_app.extensions["huefield_studies"])


def _limit(name: str) -> Limit:
    return cast(dict[str, Limit], current_app.extensions["huefield_study_limits"])[name]
